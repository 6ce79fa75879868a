//! From a hash to the slots of rows that may have it.
//!
//! Whoever looks up compares the row's key: a collision costs time, never truth. The order of slots means nothing and
//! must not leave the ledger.

use super::layered::Layered;

/// With a million rows a bucket has sixteen entries: two cache lines. It grows with more rows, and never all at once.
const BUCKET_BITS: u32 = 16;
/// So many buckets are shared as one.
const SEGMENT: usize = 1024;

/// Sorted `tag << 32 | slot` in the bucket that the hash's first bits name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Segments come to be by their first entry, so that a small ledger is small.
    segments: Vec<Layered<Vec<u64>, SEGMENT>>,
}

/// A stable hash of some texts, ours, so that no version of a library changes it.
pub(crate) fn hash(parts: &[&[u8]]) -> u64 {
    const SEED: u64 = 0x243f_6a88_85a3_08d3;
    const WORD: u64 = 0x9e37_79b9_7f4a_7c15;
    const LAST: u64 = 0xd6e8_feb8_6659_fd93;
    let mut state = SEED;
    for part in parts {
        // The length goes in first: ("ab", "c") and ("a", "bc") are not the same.
        state = fold(state.wrapping_add(part.len() as u64), WORD);
        let (words, rest) = part.as_chunks::<8>();
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

/// Which segment, which bucket of it.
fn bucket(hash: u64) -> (usize, usize) {
    let bucket = (hash >> (64 - BUCKET_BITS)) as usize;
    (bucket / SEGMENT, bucket % SEGMENT)
}

fn entry(hash: u64, slot: u32) -> u64 {
    (hash & 0xffff_ffff) << 32 | u64::from(slot)
}

// === impl Index ===

impl Index {
    fn bucket(&self, hash: u64) -> Option<&Vec<u64>> {
        let (segment, bucket) = bucket(hash);
        self.segments.get(segment)?.get(bucket)
    }

    fn bucket_mut(&mut self, hash: u64) -> Option<&mut Vec<u64>> {
        let (segment, bucket) = bucket(hash);
        if self.segments.is_empty() {
            self.segments
                .resize_with((1 << BUCKET_BITS) / SEGMENT, Layered::default);
        }
        let segment = &mut self.segments[segment];
        while segment.len() < SEGMENT {
            segment.push(Vec::new());
        }
        segment.get_mut(bucket)
    }

    pub(crate) fn insert(&mut self, hash: u64, slot: u32) {
        let entry = entry(hash, slot);
        if let Some(bucket) = self.bucket_mut(hash)
            && let Err(place) = bucket.binary_search(&entry)
        {
            bucket.insert(place, entry);
        }
    }

    pub(crate) fn remove(&mut self, hash: u64, slot: u32) {
        if let Some(bucket) = self.bucket_mut(hash)
            && let Ok(place) = bucket.binary_search(&entry(hash, slot))
        {
            bucket.remove(place);
        }
    }

    /// Reads the bucket's head, for nothing but having it near.
    pub(super) fn touch_bucket(&self, hash: u64) -> u64 {
        self.bucket(hash).map_or(0, |bucket| bucket.len() as u64)
    }

    /// Reads the bucket's entries, one of each cache line of a usual one.
    pub(super) fn touch_entries(&self, hash: u64) -> u64 {
        let bucket = self.bucket(hash).map_or(&[][..], Vec::as_slice);
        let middle = bucket.get(bucket.len() / 2).copied().unwrap_or_default();
        let ends = [bucket.first(), bucket.last()].map(|end| end.copied().unwrap_or_default());
        middle ^ ends[0] ^ ends[1]
    }

    /// The slots that were put in under this hash, and perhaps some of another hash.
    pub(crate) fn slots(&self, hash: u64) -> impl Iterator<Item = u32> {
        let first = entry(hash, 0);
        let bucket = self.bucket(hash).map_or(&[][..], Vec::as_slice);
        let start = bucket.partition_point(|entry| *entry < first);
        bucket[start..]
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
            index.insert(hash(&[name.as_bytes()]), slot as u32);
        }
        let frozen = index.clone();
        for (slot, name) in names.iter().enumerate().filter(|(slot, _)| slot % 2 == 0) {
            index.remove(hash(&[name.as_bytes()]), slot as u32);
        }
        for (slot, name) in names.iter().enumerate() {
            let slot = slot as u32;
            assert_eq!(
                index
                    .slots(hash(&[name.as_bytes()]))
                    .any(|found| found == slot),
                slot % 2 == 1
            );
            assert!(
                frozen
                    .slots(hash(&[name.as_bytes()]))
                    .any(|found| found == slot)
            );
        }
    }

    /// Promise: rows of one hash are all found.
    #[test]
    fn one_hash_may_have_many_rows() {
        let mut index = Index::default();
        let same = hash(&[b"default", b"web-0"]);
        (0..100).for_each(|slot| index.insert(same, slot));
        assert_eq!(index.slots(same).count(), 100);
    }

    /// Promise: the hash tells where one text ends and the next begins, and never changes.
    #[test]
    fn the_hash_is_ours() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert_ne!(hash(&[b"", b"a"]), hash(&[b"a", b""]));
        assert_eq!(hash(&[b"default", b"web-0"]), GOLDEN);
    }
    const GOLDEN: u64 = 3_203_465_135_082_151_247;
}
