//! From a hash to the slots of rows that may have it. Shards behind `Arc`, copied on the first change after a clone.
//!
//! An entry is eight bytes without a pointer, so copying a shard is one small `memcpy`. Whoever looks up compares
//! the row's key: a collision costs time, never truth. The order of slots means nothing and must not leave the ledger.

use super::sorted::own;
use std::sync::Arc;

/// With a million rows a shard has 2 KiB; the shards of all indexes are shared by a clone in well under a millisecond.
const SHARD_BITS: u32 = 12;

/// Sorted `tag << 32 | slot` in the shard that the hash's first bits name.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    shards: Vec<Arc<Vec<u64>>>,
}

/// A stable hash of some texts, ours, so that no version of a library changes it.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    const SEED: u64 = 0x243f_6a88_85a3_08d3;
    const WORD: u64 = 0x9e37_79b9_7f4a_7c15;
    const LAST: u64 = 0xd6e8_feb8_6659_fd93;
    let mut state = SEED;
    for part in parts {
        // The length goes in first: ("ab", "c") and ("a", "bc") are not the same.
        state = fold(state.wrapping_add(part.len() as u64), WORD);
        let (words, rest) = part.as_bytes().as_chunks::<8>();
        for word in words {
            state = fold(state.wrapping_add(LAST) ^ u64::from_le_bytes(*word), WORD);
        }
        let mut tail = [0; 8];
        tail[..rest.len()].copy_from_slice(rest);
        state = fold(state.wrapping_add(LAST) ^ u64::from_le_bytes(tail), WORD);
    }
    fold(state, LAST)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

fn shard(hash: u64) -> usize {
    (hash >> (64 - SHARD_BITS)) as usize
}

fn entry(hash: u64, slot: u32) -> u64 {
    (hash & 0xffff_ffff) << 32 | u64::from(slot)
}

// === impl Index ===

impl Default for Index {
    fn default() -> Self {
        Self {
            shards: vec![Arc::default(); 1 << SHARD_BITS],
        }
    }
}

impl Index {
    pub(crate) fn insert(&mut self, hash: u64, slot: u32) {
        let shared = &mut self.shards[shard(hash)];
        let entry = entry(hash, slot);
        if let Err(place) = shared.binary_search(&entry) {
            let room = (shared.len() + 1).next_power_of_two();
            own(shared, room).insert(place, entry);
        }
    }

    pub(crate) fn remove(&mut self, hash: u64, slot: u32) {
        let shared = &mut self.shards[shard(hash)];
        if let Ok(place) = shared.binary_search(&entry(hash, slot)) {
            own(shared, 0).remove(place);
        }
    }

    /// The slots that were put in under this hash, and perhaps some of another hash.
    pub(crate) fn slots(&self, hash: u64) -> impl Iterator<Item = u32> {
        let entries = &self.shards[shard(hash)];
        let first = entry(hash, 0);
        let start = entries.partition_point(|entry| *entry < first);
        entries[start..]
            .iter()
            .take_while(move |entry| *entry >> 32 == first >> 32)
            .map(|entry| *entry as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: what was put in under a hash is found under it until it is removed; a clone keeps what it had.
    #[test]
    fn finds_what_was_put_in() {
        let mut index = Index::default();
        let names: Vec<String> = (0..20_000).map(|n| format!("name-{n}")).collect();
        for (slot, name) in names.iter().enumerate() {
            index.insert(hash(&[name]), slot as u32);
        }
        let frozen = index.clone();
        for (slot, name) in names.iter().enumerate().filter(|(slot, _)| slot % 2 == 0) {
            index.remove(hash(&[name]), slot as u32);
        }
        for (slot, name) in names.iter().enumerate() {
            let slot = slot as u32;
            assert_eq!(
                index.slots(hash(&[name])).any(|found| found == slot),
                slot % 2 == 1
            );
            assert!(frozen.slots(hash(&[name])).any(|found| found == slot));
        }
    }

    /// Promise: rows of one hash are all found.
    #[test]
    fn one_hash_may_have_many_rows() {
        let mut index = Index::default();
        let same = hash(&["default", "web-0"]);
        (0..100).for_each(|slot| index.insert(same, slot));
        assert_eq!(index.slots(same).count(), 100);
    }

    /// Promise: the hash tells where one text ends and the next begins, and never changes.
    #[test]
    fn the_hash_is_ours() {
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&["", "a"]), hash(&["a", ""]));
        assert_eq!(hash(&["default", "web-0"]), GOLDEN);
    }
    const GOLDEN: u64 = 0;
}
