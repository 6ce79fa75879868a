//! What was proposed under which batch number, until its answers come.

use berth_domain::command::Proposal;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Asks {
    last: u64,
    open: BTreeMap<u64, Vec<Proposal>>,
}

// === impl Asks ===

impl Asks {
    /// Gives the proposals a batch number of their own.
    pub fn remember(&mut self, proposals: &[Proposal]) -> u64 {
        self.last += 1;
        self.open.insert(self.last, proposals.to_vec());
        self.last
    }

    /// The proposals of a batch; empty if their answers came before.
    pub fn take(&mut self, batch: u64) -> Vec<Proposal> {
        self.open.remove(&batch).unwrap_or_default()
    }
}
