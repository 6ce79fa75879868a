//! Forgetting the beginning of the log, a bounded step per batch: removing 10,000 entries at once stalls the disk.

use super::Replica;
use crate::state_machine::StateMachine;

/// Entries forgotten per batch.
const COMPACT_STEP_ENTRIES: u64 = 512;

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    /// Shortens the cache and says how far the disk may follow in this batch.
    pub(super) fn compact_step(&mut self) -> Option<(u64, u64)> {
        let floor = self.node.store().truncated_index();
        let target = self.compact_target().min(floor + COMPACT_STEP_ENTRIES);
        if target <= floor {
            return None;
        }
        self.node.mut_store().compact(target)
    }

    /// Never beyond the newest durable snapshot, nor beyond what the embedder has durable elsewhere, and never what
    /// a member needs right after the snapshot it is fetching.
    fn compact_target(&self) -> u64 {
        let snapshot = self
            .node
            .store()
            .snapshot_meta()
            .map_or(0, |meta| meta.index);
        let end = snapshot.min(self.durable_elsewhere);
        let by_bytes = self.node.store().first_within(end, self.options.keep_bytes);
        let free = end
            .saturating_sub(self.options.keep_entries)
            .max(by_bytes.min(end));
        // raft-rs looks terms up from what it has applied on.
        let applied = self.node.raft.raft_log.applied;
        free.min(applied)
            .min(self.lowest_transfer().unwrap_or(u64::MAX))
    }
}
