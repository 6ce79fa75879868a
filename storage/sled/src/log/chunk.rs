//! One stored value of the log: the entries of one flushed batch, or as many as fit.

use crate::database::VALUE_BYTES_MAX;
use crate::encoding::{Input, put_sized, put_varint};
use berth_raft::log_store::Entry;
use bytes::Bytes;

pub(super) const KIND: u8 = b'l';

/// Bytes around an entry's data, at most: three varints of ten bytes and the kind, rounded up.
const ENTRY_OVERHEAD_BYTES: usize = 40;

/// Bytes before the entries, at most.
const HEAD_BYTES: usize = 40;

/// How many entries go into one value, from the first on. An entry larger than a value is alone and has several parts.
pub(super) fn fitting(entries: &[Entry]) -> usize {
    let mut bytes = HEAD_BYTES;
    for (position, entry) in entries.iter().enumerate() {
        bytes += ENTRY_OVERHEAD_BYTES + entry.data.len() + entry.context.len();
        if bytes > VALUE_BYTES_MAX {
            return position.max(1);
        }
    }
    entries.len()
}

/// The entries with their predecessor's link, which ties them into one chain.
pub(super) fn encode(previous_link: u32, entries: &[Entry]) -> Vec<u8> {
    let data_bytes: usize = entries
        .iter()
        .map(|entry| entry.data.len() + entry.context.len() + ENTRY_OVERHEAD_BYTES)
        .sum();
    let mut out = Vec::with_capacity(HEAD_BYTES + data_bytes);
    out.extend_from_slice(&previous_link.to_le_bytes());
    put_varint(&mut out, entries.first().map_or(0, |entry| entry.index));
    put_varint(&mut out, entries.len() as u64);
    for entry in entries {
        put_varint(&mut out, entry.term);
        out.push(entry.kind);
        put_sized(&mut out, &entry.data);
        put_sized(&mut out, &entry.context);
    }
    out
}

/// The predecessor's link and the entries.
pub(super) fn decode(payload: &Bytes) -> Option<(u32, Vec<Entry>)> {
    let mut input = Input::new(payload);
    let previous_link = input.u32()?;
    let first = input.varint()?;
    let count = input.varint()?;
    let mut entries = Vec::new();
    for index in first..first.checked_add(count)? {
        let term = input.varint()?;
        let kind = input.u8()?;
        let data = payload.slice_ref(input.sized()?);
        let context = payload.slice_ref(input.sized()?);
        entries.push(Entry {
            index,
            term,
            kind,
            data,
            context,
        });
    }
    input.end().map(|()| (previous_link, entries))
}

/// What the next chunk stores of this one.
pub(super) fn link(payload: &[u8]) -> u32 {
    crc32c::crc32c(payload)
}

/// `l`, then the first index; a part's number follows.
pub(super) fn key(first: u64) -> Vec<u8> {
    let mut key = vec![KIND];
    key.extend_from_slice(&first.to_be_bytes());
    key
}

/// The first index and the part's number of a stored key.
pub(super) fn parse_key(key: &[u8]) -> Option<(u64, u16)> {
    let rest = key.strip_prefix(&[KIND])?;
    let (first, part) = rest.split_at_checked(8)?;
    let first = u64::from_be_bytes(first.try_into().ok()?);
    Some((first, u16::from_be_bytes(part.try_into().ok()?)))
}
