use super::*;
use std::collections::BTreeMap;

/// A small generator: the tests need order that is not the keys', not randomness.
fn scrambled(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (count * 2))
}

/// Promise: it holds what a `BTreeMap` holds, in the same order, under inserts, replacements and removals.
#[test]
fn equals_a_btree_map() {
    let mut sorted: Sorted<u64, u64, 8> = Sorted::default();
    let mut model = BTreeMap::new();
    for (n, key) in scrambled(3_000).enumerate() {
        let value = n as u64;
        assert_eq!(sorted.insert(key, value), model.insert(key, value));
        let gone = (key * 7) % 6_000;
        assert_eq!(sorted.remove(&gone), model.remove(&gone));
        assert_eq!(sorted.len(), model.len());
    }
    let all: Vec<_> = sorted.iter().map(|(k, v)| (k, *v)).collect();
    assert_eq!(all, model.clone().into_iter().collect::<Vec<_>>());
    for key in 0..6_100 {
        assert_eq!(sorted.get(&key), model.get(&key));
        let from = sorted.from(key).next().map(|(k, v)| (k, *v));
        assert_eq!(from, model.range(key..).next().map(|(k, v)| (*k, *v)));
    }
    for key in model.keys() {
        assert!(sorted.remove(key).is_some());
    }
    assert_eq!((sorted.len(), sorted.first()), (0, None));
}

/// Promise: a clone never sees what changes afterwards, on either side.
#[test]
fn a_clone_is_frozen() {
    let mut sorted: Sorted<u64, u64, 8> = Sorted::default();
    for key in 0..100 {
        sorted.insert(key, key);
    }
    let frozen = sorted.clone();
    for key in 0..100 {
        if key % 3 == 0 {
            sorted.remove(&key);
        } else if let Some(value) = sorted.get_mut(&key) {
            *value += 1_000;
        }
    }
    assert!(frozen.iter().all(|(key, value)| key == *value));
    assert_eq!((frozen.len(), sorted.len()), (100, 66));
}

/// Promise: growing keys fill chunks, and leftovers are merged, so the number of chunks follows the number of rows.
#[test]
fn chunks_follow_rows() {
    let mut sorted: Sorted<u64, (), 8> = Sorted::default();
    for key in 0..800 {
        sorted.insert(key, ());
    }
    assert_eq!(sorted.chunks.len(), 100);
    for key in (0..800).rev().filter(|key| key % 8 != 0) {
        sorted.remove(&key);
    }
    assert_eq!(sorted.len(), 100);
    assert!(sorted.chunks.len() <= 50, "{} chunks", sorted.chunks.len());
}
