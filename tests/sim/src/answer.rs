//! What a server answers.

use crate::call::Body;
use berth_domain::Ledger;
use berth_domain::id::{AttachmentKey, Revision};
use berth_domain::outcome;
use berthd::failure::Failure;
use berthd::leader::Gate;
use berthd::node::{Allocated, Collected, Released};

/// The answer of each kind of call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Of an ADD.
    Added(Result<Allocated, Failure>),
    /// Of a DEL.
    Deleted(Result<Released, Failure>),
    /// Of a GC.
    Collected(Result<Collected, Failure>),
    /// Of an administrator's command.
    Proposed(Result<outcome::Answer, Failure>),
    /// Of a read, linearizable or not.
    Read(Result<Sight, Failure>),
}

/// What a read saw.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Of which attachment.
    pub key: AttachmentKey,
    /// As of.
    pub revision: Revision,
    /// The generation that is bound.
    pub generation: Option<u64>,
}

// === impl Answer ===

impl Answer {
    /// Asks the shipped gate.
    pub async fn of(gate: &Gate, body: Body) -> Self {
        let look = |key: AttachmentKey| {
            move |ledger: &Ledger| Sight {
                revision: ledger.revision(),
                generation: ledger.allocation(&key).map(|row| row.generation.0),
                key,
            }
        };
        match body {
            Body::Add(add) => Self::Added(gate.allocate(*add).await),
            Body::Del(del) => Self::Deleted(gate.release(*del).await),
            Body::Collect(collect) => Self::Collected(gate.collect(*collect).await),
            Body::Propose(proposal) => Self::Proposed(gate.propose(*proposal).await),
            Body::Report(report) => Self::Proposed(gate.report_node(*report).await),
            Body::Read(key) => Self::Read(gate.read(look(key)).await),
            Body::ReadStale(key) => {
                let look = look(key);
                Self::Read(gate.read_stale(move |ledger, _| look(ledger)).await)
            }
        }
    }

    /// Why it was not done.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Added(result) => result.as_ref().err(),
            Self::Deleted(result) => result.as_ref().err(),
            Self::Collected(result) => result.as_ref().err(),
            Self::Proposed(result) => result.as_ref().err(),
            Self::Read(result) => result.as_ref().err(),
        }
    }

    /// The revision at which it became true.
    pub fn revision(&self) -> Option<Revision> {
        match self {
            Self::Added(Ok(allocated)) => Some(allocated.revision),
            Self::Deleted(Ok(released)) => Some(released.revision),
            Self::Collected(Ok(collected)) => Some(collected.revision),
            Self::Proposed(Ok(answer)) => Some(answer.revision),
            Self::Read(Ok(sight)) => Some(sight.revision),
            _ => None,
        }
    }
}
