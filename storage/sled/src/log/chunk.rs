//! One stored chunk of the log: the entries of one flushed batch, or as many as fit, and the small head that goes with them.
//!
//! With its head in it, a chunk that is only appended is a write of its own: one value, and no batch of sled's, which
//! costs a second write of the disk.

use super::head::Head;
use crate::encoding::{Input, put_sized, put_varint};
use berth_raft::log_store::{Entry, HardState};
use bytes::Bytes;
use lz4_flex::block::{compress_prepend_size, decompress_size_prepended};

pub(super) const KIND: u8 = b'l';

/// Bytes around an entry's data, at most: three varints of ten bytes and the kind, rounded up.
const ENTRY_OVERHEAD_BYTES: usize = 40;

/// Bytes before the entries, at most.
const HEAD_BYTES: usize = 80;

/// Entries of one chunk before they are compressed. Commands repeat each other: compressed, this seldom needs a second
/// value.
const RAW_BYTES_MAX: usize = 240 * 1024;

/// Less is not worth compressing.
const COMPRESSED_BYTES_MIN: usize = 1024;

const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

/// A chunk as it was stored.
#[derive(Debug)]
pub(super) struct Stored {
    /// The predecessor's link, which ties the chunks into one chain.
    pub(super) previous_link: u32,
    /// The write that stored it.
    pub(super) sequence: u64,
    /// What held from that write on.
    pub(super) hard_state: HardState,
    pub(super) entries: Vec<Entry>,
}

/// How many entries go into one chunk, from the first on. A larger entry is alone.
pub(super) fn fitting(entries: &[Entry]) -> usize {
    let mut bytes = HEAD_BYTES;
    for (position, entry) in entries.iter().enumerate() {
        bytes += ENTRY_OVERHEAD_BYTES + entry.data.len() + entry.context.len();
        if bytes > RAW_BYTES_MAX {
            return position.max(1);
        }
    }
    entries.len()
}

/// The entries behind `head`, with what of it changes with every write.
pub(super) fn encode(head: &Head, entries: &[Entry]) -> Vec<u8> {
    let body = encode_body(head, entries);
    let mut out = head.link.to_le_bytes().to_vec();
    if body.len() < COMPRESSED_BYTES_MIN {
        out.push(PLAIN);
        out.extend_from_slice(&body);
    } else {
        out.push(COMPRESSED);
        out.extend_from_slice(&compress_prepend_size(&body));
    }
    out
}

fn encode_body(head: &Head, entries: &[Entry]) -> Vec<u8> {
    let data_bytes: usize = entries
        .iter()
        .map(|entry| entry.data.len() + entry.context.len() + ENTRY_OVERHEAD_BYTES)
        .sum();
    let mut out = Vec::with_capacity(HEAD_BYTES + data_bytes);
    let HardState { term, vote, commit } = head.hard_state;
    for value in [head.sequence, term, vote, commit] {
        put_varint(&mut out, value);
    }
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

/// What [`encode`] made.
pub(super) fn decode(payload: &Bytes) -> Option<Stored> {
    let mut input = Input::new(payload);
    let previous_link = input.u32()?;
    let form = input.u8()?;
    let body = payload.slice(5..);
    let body = match form {
        PLAIN => body,
        COMPRESSED => Bytes::from(decompress_size_prepended(&body).ok()?),
        _ => return None,
    };
    decode_body(previous_link, &body)
}

fn decode_body(previous_link: u32, body: &Bytes) -> Option<Stored> {
    let mut input = Input::new(body);
    let sequence = input.varint()?;
    let hard_state = HardState {
        term: input.varint()?,
        vote: input.varint()?,
        commit: input.varint()?,
    };
    let first = input.varint()?;
    let count = input.varint()?;
    let mut entries = Vec::new();
    for index in first..first.checked_add(count)? {
        let term = input.varint()?;
        let kind = input.u8()?;
        let data = body.slice_ref(input.sized()?);
        let context = body.slice_ref(input.sized()?);
        entries.push(Entry {
            index,
            term,
            kind,
            data,
            context,
        });
    }
    input.end().map(|()| Stored {
        previous_link,
        sequence,
        hard_state,
        entries,
    })
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
