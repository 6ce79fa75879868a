//! The event group: one for every command that changed something, from the first commit (design §9).

mod canonical;

pub(crate) use canonical::Writer;

use crate::id::*;
use crate::row::Change;

/// The hash of the whole history up to a revision: h(r) = BLAKE3(h(r-1) ‖ canonical bytes of group r).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Chain(pub [u8; 32]);

/// What one command changed, who asked for it, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventGroup {
    /// Gap-free from 1.
    pub revision: Revision,
    /// ms; drives every expiry.
    pub ledger_time_ms: u64,
    /// ms since 1970; only shown.
    pub wall_time_ms: u64,
    /// Who asked.
    pub principal: Principal,
    /// The caller's id of the request; empty = none.
    pub request_id: RequestId,
    /// The trace it belongs to.
    pub trace_id: Option<[u8; 16]>,
    /// The command's name: "bind".
    pub cause: &'static str,
    /// Why, in the caller's words.
    pub reason: Reason,
    /// Rows, before and after, in the order they were installed.
    pub changes: Vec<Change>,
    /// The chain up to and with this group.
    pub chain: Chain,
}

// === impl EventGroup ===

impl EventGroup {
    /// Whether it comes next after a revision. Only a recovery skips some, and says after which.
    pub fn follows(&self, before: Revision) -> bool {
        match self.skipped_after() {
            Some(follows) => follows == before && self.revision > before,
            None => self.revision.0 == before.0.saturating_add(1),
        }
    }

    /// The last revision before those that this group skips; none = it skips none.
    pub fn skipped_after(&self) -> Option<Revision> {
        self.changes.iter().find_map(|change| match change {
            Change::Recovery {
                after: Some(row), ..
            } if row.began == self.revision => Some(row.follows),
            _ => None,
        })
    }
}

/// The chain after a group: BLAKE3 of the chain before it, then its canonical bytes. `scratch` is used and left dirty.
pub(crate) fn chained(before: &Chain, group: &EventGroup, scratch: &mut Vec<u8>) -> Chain {
    scratch.clear();
    scratch.extend_from_slice(&before.0);
    Writer { bytes: scratch }.group(group);
    Chain(*blake3::hash(scratch).as_bytes())
}
