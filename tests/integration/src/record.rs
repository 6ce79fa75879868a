//! What the clients of a run saw: every call with its answer, and who used which address when; kept as lines of JSON.

mod call;
mod file;
mod group;

pub use call::{Answer, Attachment, Call, Counts, Listed, Read, Write};
pub use file::{FILE_NAME, load, save};
pub use group::{Group, Row};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One call, from its beginning to its answer. Times are microseconds since the run began, of one monotonic clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Unique in the run.
    pub id: u64,
    /// Whose call: "pod-3", "admin".
    pub client: String,
    /// The endpoint asked; empty = whoever the client found.
    pub member: String,
    /// Below this call there may have been several tries, each of which may have had its effect.
    pub several: bool,
    /// Nothing of it happened before.
    pub began_us: u64,
    /// The answer was there; none = it never came.
    pub ended_us: Option<u64>,
    /// What was asked.
    pub call: Call,
    /// What was answered.
    pub answer: Answer,
}

/// What one simulated pod believes: it sends from this address, in real time. Begun after the answer that gave it,
/// ended before anybody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The sandbox, as "cluster/network/container/interface".
    pub key: String,
    /// Which address.
    pub address: String,
    /// It is its claim's.
    pub is_static: bool,
    /// Since.
    pub from_us: u64,
    /// Until; none = to the end of the run.
    pub until_us: Option<u64>,
}

/// Everything of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// In no order.
    pub operations: Vec<Operation>,
    /// In no order.
    pub uses: Vec<Use>,
    /// The whole history as each member tells it, fetched when the run was over.
    pub histories: BTreeMap<String, Vec<Group>>,
    /// The ledger's digest as each member tells it: (applied index, digest).
    pub digests: BTreeMap<String, (u64, String)>,
}

// === impl Operation ===

impl Operation {
    /// Whether its answer says that it certainly had no effect.
    pub fn surely_nothing(&self) -> bool {
        matches!(self.answer, Answer::Refused { .. }) && !self.several
    }

    /// The revision its answer carries, if it is one that takes part in the order: a stale read does not.
    pub fn revision(&self) -> Option<u64> {
        match self.call {
            Call::Read(Read::Stale) => None,
            _ => self.answer.revision(),
        }
    }
}
