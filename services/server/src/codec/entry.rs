//! One raft entry: the leader's header and up to 512 proposals.

use super::{Error, Wire, fixed, list, wires};
use berth_domain::command::{FactsVersion, Header, Proposal};
use berth_domain::id::{Principal, Reason, RequestId};
use berth_proto::log::v1;
use bytes::Bytes;
use prost::Message;

/// One raft entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Stamped by the leader.
    pub header: Header,
    /// The leader's process; with `batch` it names this entry for ever.
    pub leader_boot: [u8; 16],
    /// The leader's counter.
    pub batch: u64,
    /// Applied in order, each all-or-nothing.
    pub proposals: Vec<Proposal>,
}

/// As raft carries it.
pub fn encode_entry(entry: &Entry) -> Vec<u8> {
    let message = v1::Entry {
        ledger_time_ms: entry.header.ledger_time_ms,
        wall_time_ms: entry.header.wall_time_ms,
        leader_boot: Bytes::copy_from_slice(&entry.leader_boot),
        batch: entry.batch,
        commands: wires(&entry.proposals),
    };
    message.encode_to_vec()
}

/// From what raft carried. A command that this version does not know is an error: the replica must stop.
pub fn decode_entry(bytes: &[u8]) -> Result<Entry, Error> {
    let message = v1::Entry::decode(bytes)?;
    Ok(Entry {
        header: Header {
            ledger_time_ms: message.ledger_time_ms,
            wall_time_ms: message.wall_time_ms,
        },
        leader_boot: fixed(&message.leader_boot, "leader's boot")?,
        batch: message.batch,
        proposals: list(message.commands)?,
    })
}

// === impl Proposal ===

impl Wire<v1::Proposal> for Proposal {
    fn to_wire(&self) -> v1::Proposal {
        let facts = self.facts.unwrap_or(FactsVersion {
            epoch: 0,
            version: 0,
        });
        v1::Proposal {
            principal: self.principal.as_str().to_owned(),
            request_id: self.request_id.as_str().to_owned(),
            trace_id: trace_bytes(&self.trace_id),
            reason: self.reason.as_str().to_owned(),
            facts_epoch: facts.epoch,
            facts_version: facts.version,
            command: Some(self.command.to_wire()),
        }
    }

    fn from_wire(message: v1::Proposal) -> Result<Self, Error> {
        let facts = FactsVersion {
            epoch: message.facts_epoch,
            version: message.facts_version,
        };
        Ok(Self {
            principal: Principal::new(&message.principal)?,
            request_id: RequestId::new(&message.request_id)?,
            trace_id: trace(&message.trace_id)?,
            reason: Reason::new(&message.reason)?,
            facts: (facts.epoch > 0 || facts.version > 0).then_some(facts),
            command: super::required(message.command, "command")?,
        })
    }
}

/// 16 bytes, or none.
pub(super) fn trace_bytes(trace: &Option<[u8; 16]>) -> Bytes {
    trace.map_or_else(Bytes::new, |id| Bytes::copy_from_slice(&id))
}

/// 16 bytes, or none.
pub(super) fn trace(bytes: &[u8]) -> Result<Option<[u8; 16]>, Error> {
    match bytes {
        [] => Ok(None),
        bytes => Ok(Some(fixed(bytes, "trace id")?)),
    }
}
