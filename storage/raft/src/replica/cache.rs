//! The log in memory, which is all raft-rs reads: the raft thread never waits for a disk to look at an entry.

use super::convert;
use crate::log_store::{Loaded, Membership, SnapshotMeta};
use raft::eraftpb::{ConfState, Entry, HardState, Snapshot};
use raft::{Error, GetEntriesContext, RaftState, StorageError};
use std::cell::Cell;
use std::collections::VecDeque;

/// What raft-rs sees of the store. Entries stand here as soon as they are handed to the disk.
pub(crate) struct LogCache {
    hard_state: HardState,
    conf_state: ConfState,
    truncated_index: u64,
    truncated_term: u64,
    entries: VecDeque<Entry>,
    /// What all entries up to and with each one take, counted from the store's opening on.
    bytes_through: VecDeque<u64>,
    /// The same up to the beginning of the log.
    bytes_before: u64,
    /// The newest durable snapshot.
    snapshot: Option<SnapshotMeta>,
    /// raft asked for a snapshot that is newer, or knows a member, than the one there is.
    snapshot_wanted: Cell<bool>,
    /// A newer one is on its way to the disk and takes its place: whoever began to fetch this one would not get to its end.
    is_replaced_soon: bool,
}

/// What an entry costs beside its data and context; only for keeping messages small.
const ENTRY_OVERHEAD_BYTES: u64 = 32;

// === impl LogCache ===

impl LogCache {
    pub(crate) fn new(loaded: Loaded) -> Self {
        let membership = loaded
            .snapshot
            .as_ref()
            .map(|meta| meta.membership.clone())
            .unwrap_or_default();
        let mut cache = LogCache {
            hard_state: convert::hard_state_to_raft(loaded.hard_state),
            conf_state: convert::membership_to_raft(&membership),
            truncated_index: loaded.truncated_index,
            truncated_term: loaded.truncated_term,
            entries: VecDeque::new(),
            bytes_through: VecDeque::new(),
            bytes_before: 0,
            snapshot: loaded.snapshot,
            snapshot_wanted: Cell::new(false),
            is_replaced_soon: false,
        };
        let entries = loaded.entries.iter().map(convert::entry_to_raft);
        entries.for_each(|entry| cache.push(entry));
        cache
    }

    fn push(&mut self, entry: Entry) {
        let before = self.bytes_through.back().unwrap_or(&self.bytes_before);
        self.bytes_through.push_back(before + entry_bytes(&entry));
        self.entries.push_back(entry);
    }

    pub(crate) fn truncated_index(&self) -> u64 {
        self.truncated_index
    }

    pub(crate) fn last(&self) -> u64 {
        self.truncated_index + self.entries.len() as u64
    }

    pub(crate) fn snapshot_meta(&self) -> Option<&SnapshotMeta> {
        self.snapshot.as_ref()
    }

    pub(crate) fn set_snapshot(&mut self, meta: SnapshotMeta) {
        self.snapshot = Some(meta);
    }

    /// Whether a newer snapshot is on its way to the disk; as long as it is none is offered.
    pub(crate) fn set_replaced_soon(&mut self, is_replaced_soon: bool) {
        self.is_replaced_soon = is_replaced_soon;
    }

    /// Whether a newer snapshot was asked for since the last call.
    pub(crate) fn take_snapshot_wanted(&self) -> bool {
        self.snapshot_wanted.replace(false)
    }

    /// Appends; a conflicting suffix goes first.
    pub(crate) fn append(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        let keep = first.index.saturating_sub(self.truncated_index + 1);
        debug_assert!(
            keep <= self.entries.len() as u64,
            "the log would have a gap"
        );
        self.entries.truncate(keep as usize);
        self.bytes_through.truncate(keep as usize);
        entries.iter().for_each(|entry| self.push(entry.clone()));
    }

    /// What the entries behind `after` up to and with `through` take, as far as they are here.
    pub(crate) fn bytes_between(&self, after: u64, through: u64) -> u64 {
        self.bytes_to(through).saturating_sub(self.bytes_to(after))
    }

    fn bytes_to(&self, index: u64) -> u64 {
        let position = index.min(self.last()).checked_sub(self.truncated_index + 1);
        let found = position.and_then(|position| self.bytes_through.get(position as usize));
        *found.unwrap_or(&self.bytes_before)
    }

    /// The lowest index whose followers up to and with `through` take at most so many bytes.
    pub(crate) fn first_within(&self, through: u64, bytes: u64) -> u64 {
        let limit = self.bytes_to(through).saturating_sub(bytes);
        if limit <= self.bytes_before {
            return self.truncated_index;
        }
        let short = self.bytes_through.partition_point(|sum| *sum < limit);
        self.truncated_index + 1 + short as u64
    }

    /// The whole log becomes the end of a snapshot from the leader.
    pub(crate) fn reset(&mut self, index: u64, term: u64) {
        self.entries.clear();
        self.bytes_through.clear();
        self.truncated_index = index;
        self.truncated_term = term;
    }

    /// Forgets entries up to and with `index`, which must be in the log.
    pub(crate) fn compact(&mut self, index: u64) -> Option<(u64, u64)> {
        let term = self.entry(index)?.term;
        self.bytes_before = self.bytes_to(index);
        let count = (index - self.truncated_index) as usize;
        self.entries.drain(..count);
        self.bytes_through.drain(..count);
        self.truncated_index = index;
        self.truncated_term = term;
        Some((index, term))
    }

    pub(crate) fn entry(&self, index: u64) -> Option<&Entry> {
        let position = index.checked_sub(self.truncated_index + 1)?;
        self.entries.get(position as usize)
    }

    /// Every entry, for comparing logs.
    #[cfg(feature = "testkit")]
    pub(crate) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }
}

impl raft::Storage for LogCache {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(RaftState::new(
            self.hard_state.clone(),
            self.conf_state.clone(),
        ))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        if low <= self.truncated_index {
            return Err(Error::Store(StorageError::Compacted));
        }
        let limit_bytes = max_size.into().unwrap_or(u64::MAX);
        let mut bytes = 0u64;
        let mut found = Vec::new();
        for index in low..high {
            let entry = self
                .entry(index)
                .ok_or(Error::Store(StorageError::Unavailable))?;
            bytes = bytes.saturating_add(entry_bytes(entry));
            // At least one entry, else a large one could never be sent.
            if bytes > limit_bytes && !found.is_empty() {
                break;
            }
            found.push(entry.clone());
        }
        Ok(found)
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        if index == self.truncated_index {
            return Ok(self.truncated_term);
        }
        if index < self.truncated_index {
            return Err(Error::Store(StorageError::Compacted));
        }
        self.entry(index)
            .map(|entry| entry.term)
            .ok_or(Error::Store(StorageError::Unavailable))
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.truncated_index + 1)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last())
    }

    /// Only one that knows the receiver: raft ignores a snapshot whose membership lacks it (raft-rs issue 472).
    fn snapshot(&self, request_index: u64, to: u64) -> raft::Result<Snapshot> {
        match &self.snapshot {
            // raft asks again, and gets the new one.
            Some(_) if self.is_replaced_soon => {
                Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable))
            }
            Some(meta)
                if meta.index >= request_index && convert::takes_part(&meta.membership, to) =>
            {
                Ok(convert::snapshot_to_raft(meta))
            }
            _ => {
                self.snapshot_wanted.set(true);
                Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable))
            }
        }
    }
}

fn entry_bytes(entry: &Entry) -> u64 {
    (entry.data.len() + entry.context.len()) as u64 + ENTRY_OVERHEAD_BYTES
}

/// The membership a snapshot or a fresh store starts from.
pub(crate) fn initial_membership(loaded: &Loaded) -> Membership {
    loaded
        .snapshot
        .as_ref()
        .map(|meta| meta.membership.clone())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(index: u64, bytes: usize) -> Entry {
        Entry {
            index,
            data: vec![0; bytes].into(),
            ..Entry::default()
        }
    }

    fn naive(cache: &LogCache, after: u64, through: u64) -> u64 {
        let counted = cache
            .entries
            .iter()
            .filter(|entry| entry.index > after && entry.index <= through);
        counted.map(entry_bytes).sum()
    }

    proptest! {
        /// Promise: what parts of the log take is known exactly, whatever was appended, overwritten and forgotten before.
        #[test]
        fn bytes_are_counted(steps in prop::collection::vec((0u64..6, 0usize..50, any::<bool>()), 1..60)) {
            let mut cache = LogCache::new(Loaded::default());
            for (back, bytes, compacts) in steps {
                if compacts && cache.last() > cache.truncated_index {
                    let index = cache.truncated_index + 1 + back % (cache.last() - cache.truncated_index);
                    cache.compact(index);
                } else {
                    let first = (cache.last() + 1).saturating_sub(back).max(cache.truncated_index + 1);
                    cache.append(&[entry(first, bytes), entry(first + 1, 2 * bytes)]);
                }
                let (floor, last) = (cache.truncated_index, cache.last());
                for through in floor..=last {
                    for after in floor..=through {
                        prop_assert_eq!(cache.bytes_between(after, through), naive(&cache, after, through));
                    }
                    let first = cache.first_within(through, 100);
                    prop_assert!(naive(&cache, first, through) <= 100);
                    prop_assert!(first == floor || naive(&cache, first - 1, through) > 100);
                }
            }
        }
    }
}
