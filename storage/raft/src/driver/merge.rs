//! Joins batches that queued up into one write: one sync for all of them.

use crate::log_store::{Batch, Entry};

/// A joined write stays below this, so that the first in it does not wait for much more than itself.
const WRITE_BYTES_MAX: usize = 512 * 1024;

/// Joins `next` into `batch` if the result means the same as one after the other; else gives `next` back.
pub(crate) fn join(batch: &mut Batch, next: Batch) -> Option<Batch> {
    // A snapshot resets or re-bases the log: what is before and after it must not mix.
    if batch.snapshot.is_some()
        || next.snapshot.is_some()
        || bytes(batch) + bytes(&next) > WRITE_BYTES_MAX
    {
        return Some(next);
    }
    if let Some(first) = next.entries.first() {
        batch.entries.retain(|entry| entry.index < first.index);
        // A suffix that starts before this batch's entries replaces them all, which the retain above did.
        batch.entries.extend(next.entries);
    }
    batch.hard_state = next.hard_state.or(batch.hard_state);
    batch.membership = next.membership.or(batch.membership.take());
    batch.compact_to = next.compact_to.max(batch.compact_to);
    batch.must_sync |= next.must_sync;
    None
}

fn bytes(batch: &Batch) -> usize {
    batch.entries.iter().map(entry_bytes).sum()
}

fn entry_bytes(entry: &Entry) -> usize {
    entry.data.len() + entry.context.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_store::{HardState, InstallSnapshot, LogStore, SnapshotMeta};
    use crate::memory::Memory;
    use proptest::prelude::*;

    fn entries(first: u64, count: u64, term: u64) -> Vec<Entry> {
        let entry = |index| Entry {
            index,
            term,
            kind: 0,
            data: bytes::Bytes::new(),
            context: bytes::Bytes::new(),
        };
        (first..first + count).map(entry).collect()
    }

    proptest! {
        /// Promise: joined batches leave the same log behind as the batches one by one, overwritten suffixes included.
        #[test]
        fn joined_means_the_same(steps in prop::collection::vec((1u64..6, 1u64..4, any::<bool>()), 1..12)) {
            let (mut one_by_one, mut joined) = (Memory::new(), Memory::new());
            let mut pending = Batch::default();
            let mut last = 0u64;
            for (term, (back, count, moves)) in (1u64..).zip(steps) {
                let first = (last + 1).saturating_sub(if moves { back } else { 0 }).max(1);
                last = first + count - 1;
                let hard_state = Some(HardState { term, vote: 0, commit: 0 });
                let batch = Batch { entries: entries(first, count, term), hard_state, must_sync: true, ..Batch::default() };
                one_by_one.write(&batch).unwrap();
                prop_assert!(join(&mut pending, batch).is_none());
            }
            joined.write(&pending).unwrap();
            let (left, right) = (one_by_one.load().unwrap(), joined.load().unwrap());
            prop_assert_eq!(left.entries, right.entries);
            prop_assert_eq!(left.hard_state, right.hard_state);
        }
    }

    #[test]
    fn a_snapshot_is_never_joined() {
        // Promise: entries before and after a reset of the log never end up in one write.
        let install = InstallSnapshot {
            meta: SnapshotMeta::default(),
            reset_log: true,
        };
        let mut batch = Batch {
            entries: entries(1, 2, 1),
            ..Batch::default()
        };
        let next = Batch {
            snapshot: Some(install),
            ..Batch::default()
        };
        assert!(join(&mut batch, next.clone()).is_some());
        assert!(join(&mut next.clone(), batch).is_some());
    }
}
