//! One raft entry: the leader's header and up to 512 proposals.

use super::{Error, Wire, fixed, list, wires};
use berth_domain::command::{FactsVersion, Header, Proposal};
use berth_domain::id::{Principal, Reason, RequestId};
use berth_domain::version::{APPLIES, BASE, ClusterVersion};
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
    /// The cluster version that it was written at.
    pub version: ClusterVersion,
}

/// As raft carries it.
pub fn encode_entry(entry: &Entry) -> Vec<u8> {
    let message = v1::Entry {
        ledger_time_ms: entry.header.ledger_time_ms,
        wall_time_ms: entry.header.wall_time_ms,
        leader_boot: Bytes::copy_from_slice(&entry.leader_boot),
        batch: entry.batch,
        commands: wires(&entry.proposals),
        // The first release wrote none, and its bytes stay what they were.
        version: match entry.version {
            BASE => 0,
            version => version.0,
        },
    };
    message.encode_to_vec()
}

/// From what raft carried. A version that this program does not apply, a command that it does not know, and a field that it
/// does not know are errors: the replica must stop before it applies any of the entry.
pub fn decode_entry(bytes: &[u8]) -> Result<Entry, Error> {
    let message = v1::Entry::decode(bytes)?;
    let version = ClusterVersion(message.version.max(BASE.0));
    if !APPLIES.contains(version) {
        return Err(Error::Version {
            found: version,
            applies: APPLIES,
        });
    }
    if message.commands.iter().any(|one| one.command.is_none()) {
        return Err(Error::UnknownCommand);
    }
    let unread = bytes.len().saturating_sub(message.encoded_len());
    if unread > 0 {
        let what = "an entry";
        return Err(Error::UnknownFields { what, unread });
    }
    let entry = Entry {
        version,
        header: Header {
            ledger_time_ms: message.ledger_time_ms,
            wall_time_ms: message.wall_time_ms,
        },
        leader_boot: fixed(&message.leader_boot, "leader's boot")?,
        batch: message.batch,
        proposals: list(message.commands)?,
    };
    entry.is_timely()?;
    Ok(entry)
}

// === impl Entry ===

impl Entry {
    /// A known command of a version that this program does not apply is as good as unknown.
    fn is_timely(&self) -> Result<(), Error> {
        let needs = |proposal: &Proposal| {
            let command = &proposal.command;
            command.since().max(command.written_at(BASE))
        };
        let beyond = |version: &ClusterVersion| !APPLIES.contains(*version);
        match self.proposals.iter().map(needs).find(beyond) {
            Some(found) => Err(Error::Version {
                found,
                applies: APPLIES,
            }),
            None => Ok(()),
        }
    }
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
