//! A payload of any size as consecutive values below sled's limit.

use super::VALUE_BYTES_MAX;
use crate::checksum::frame;
use sled::Batch;

/// The key of one part: the record's key, then the part's number.
pub(crate) fn part_key(key: &[u8], number: u16) -> Vec<u8> {
    let mut part = Vec::with_capacity(key.len() + 2);
    part.extend_from_slice(key);
    part.extend_from_slice(&number.to_be_bytes());
    part
}

/// The longest payload that [`put`] takes.
pub(crate) const PAYLOAD_BYTES_MAX: usize = VALUE_BYTES_MAX * 4096;

/// Adds the payload to the batch and says in how many parts; an empty payload is one empty part.
pub(super) fn put(batch: &mut Batch, kind: u8, key: &[u8], payload: &[u8]) -> u16 {
    let mut count = 0;
    let mut rest = payload;
    loop {
        let (part, after) = rest.split_at(rest.len().min(VALUE_BYTES_MAX));
        let key = part_key(key, count);
        let value = frame(kind, &key, part);
        batch.insert(key, value);
        count += 1;
        rest = after;
        if rest.is_empty() {
            return count;
        }
    }
}
