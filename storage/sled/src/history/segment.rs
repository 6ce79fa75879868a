//! Consecutive records compressed together, with sorted postings, under one header.

use super::Record;
use crate::Error;
use crate::database::Database;
use crate::encoding::{Input, put_sized, put_varint};
use bytes::Bytes;
use lz4_flex::block::{compress_prepend_size, decompress_size_prepended};
use std::collections::BTreeMap;

pub(super) const KIND_HEADER: u8 = b'g';
pub(super) const KIND_BODY: u8 = b'b';

/// A complete segment holds about this much before compression: a query that needs one record reads one segment.
pub(super) const SEGMENT_BYTES: usize = 64 * 1024;

/// What a record costs beside its body and keys, roughly.
const RECORD_OVERHEAD_BYTES: usize = 48;

/// What is known of a segment without reading it; all headers are in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) wall_min_ms: u64,
    pub(super) wall_max_ms: u64,
    /// The chain's value before `first`; zeros if it was not known.
    pub(super) chain_before: [u8; 32],
    pub(super) chain_last: [u8; 32],
    /// Never merged again; found through the index. Others are few, young and in memory.
    pub(super) complete: bool,
    /// How often it was merged.
    pub(super) rank: u8,
    pub(super) parts: u16,
    /// Of the stored body: no older body can stand in for it.
    pub(super) checksum: u32,
}

/// A segment read back.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) header: Header,
    pub(super) records: Vec<Record>,
}

/// A segment to be written.
pub(super) struct Draft {
    pub(super) segment: Segment,
    pub(super) body: Vec<u8>,
}

/// What a record counts towards [`SEGMENT_BYTES`].
pub(super) fn size(record: &Record) -> usize {
    let keys: usize = record.keys.iter().map(Vec::len).sum();
    RECORD_OVERHEAD_BYTES + record.body.len() + keys
}

pub(super) fn key(kind: u8, first: u64) -> [u8; 9] {
    let mut key = [kind; 9];
    key[1..].copy_from_slice(&first.to_be_bytes());
    key
}

// === impl Draft ===

impl Draft {
    /// Compresses records. There must be at least one, and they must be consecutive.
    pub(super) fn new(
        records: Vec<Record>,
        chain_before: [u8; 32],
        complete: bool,
        rank: u8,
    ) -> Option<Self> {
        let (first, last) = (records.first()?, records.last()?);
        let walls = records.iter().map(|record| record.wall_ms);
        let body = encode(&records);
        let header = Header {
            first: first.revision,
            last: last.revision,
            wall_min_ms: walls.clone().min()?,
            wall_max_ms: walls.max()?,
            chain_before,
            chain_last: last.chain,
            complete,
            rank,
            parts: 0,
            checksum: crc32c::crc32c(&body),
        };
        let segment = Segment { header, records };
        Some(Self { segment, body })
    }

    /// Adds it to a batch.
    pub(super) fn put(&mut self, database: &Database, batch: &mut sled::Batch) {
        let header = &mut self.segment.header;
        header.parts =
            database.put_parts(batch, KIND_BODY, &key(KIND_BODY, header.first), &self.body);
        let header_key = key(KIND_HEADER, header.first);
        let value = crate::checksum::frame(KIND_HEADER, &header_key, &header.encode());
        batch.insert(&header_key, value);
    }
}

// === impl Segment ===

impl Segment {
    pub(super) fn bytes(&self) -> usize {
        self.records.iter().map(size).sum()
    }

    /// Reads and checks a stored segment.
    pub(super) fn read(database: &Database, header: &Header) -> Result<Self, Error> {
        let first = header.first;
        let body = database.parts(KIND_BODY, &key(KIND_BODY, first), header.parts)?;
        let records = if crc32c::crc32c(&body) == header.checksum {
            decode(&body, first)
        } else {
            None
        };
        let records = records.filter(|records| {
            let last = records.last();
            last.is_some_and(|last| (last.revision, last.chain) == (header.last, header.chain_last))
        });
        let Some(records) = records else {
            return Err(database.damaged(format!("the history segment at {first} cannot be read")));
        };
        Ok(Self {
            header: header.clone(),
            records,
        })
    }
}

// === impl Header ===

impl Header {
    pub(super) fn remove(&self, database: &Database, batch: &mut sled::Batch) {
        batch.remove(&key(KIND_HEADER, self.first));
        database.remove_parts(batch, &key(KIND_BODY, self.first), self.parts);
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        for value in [self.first, self.last, self.wall_min_ms, self.wall_max_ms] {
            put_varint(&mut out, value);
        }
        out.extend_from_slice(&self.chain_before);
        out.extend_from_slice(&self.chain_last);
        out.push(u8::from(self.complete));
        out.push(self.rank);
        put_varint(&mut out, self.parts.into());
        out.extend_from_slice(&self.checksum.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Input::new(bytes);
        let header = Self {
            first: input.varint()?,
            last: input.varint()?,
            wall_min_ms: input.varint()?,
            wall_max_ms: input.varint()?,
            chain_before: input.digest()?,
            chain_last: input.digest()?,
            complete: input.u8()? != 0,
            rank: input.u8()?,
            parts: input.varint()?.try_into().ok()?,
            checksum: input.u32()?,
        };
        input.end()?;
        (header.first <= header.last).then_some(header)
    }
}

/// Postings, then records, each compressed.
fn encode(records: &[Record]) -> Vec<u8> {
    let mut postings: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    let mut raw = Vec::new();
    let (mut index, mut wall) = (0u64, 0u64);
    put_varint(&mut raw, records.len() as u64);
    for (ordinal, record) in records.iter().enumerate() {
        for key in &record.keys {
            postings.entry(key).or_default().push(ordinal);
        }
        put_varint(&mut raw, record.index.wrapping_sub(index));
        put_varint(&mut raw, record.wall_ms.wrapping_sub(wall));
        (index, wall) = (record.index, record.wall_ms);
        raw.extend_from_slice(&record.chain);
        put_sized(&mut raw, &record.body);
    }
    let mut body = Vec::new();
    put_sized(
        &mut body,
        &compress_prepend_size(&encode_postings(&postings)),
    );
    put_sized(&mut body, &compress_prepend_size(&raw));
    body
}

fn encode_postings(postings: &BTreeMap<&[u8], Vec<usize>>) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, ordinals) in postings {
        put_sized(&mut out, key);
        put_varint(&mut out, ordinals.len() as u64);
        let mut previous = 0;
        for ordinal in ordinals {
            put_varint(&mut out, (ordinal - previous) as u64);
            previous = *ordinal;
        }
    }
    out
}

fn decode(body: &[u8], first: u64) -> Option<Vec<Record>> {
    let mut input = Input::new(body);
    let postings = decompress_size_prepended(input.sized()?).ok()?;
    let raw = Bytes::from(decompress_size_prepended(input.sized()?).ok()?);
    input.end()?;
    let mut input = Input::new(&raw);
    let count = input.varint()?;
    let mut records = Vec::new();
    let (mut index, mut wall) = (0u64, 0u64);
    for revision in first..first.checked_add(count)? {
        index = index.wrapping_add(input.varint()?);
        wall = wall.wrapping_add(input.varint()?);
        records.push(Record {
            revision,
            index,
            wall_ms: wall,
            chain: input.digest()?,
            keys: Vec::new(),
            body: raw.slice_ref(input.sized()?),
        });
    }
    input.end()?;
    give_keys_back(&mut records, &postings)?;
    Some(records)
}

fn give_keys_back(records: &mut [Record], postings: &[u8]) -> Option<()> {
    let mut input = Input::new(postings);
    while !input.is_empty() {
        let key = input.sized()?;
        let count = input.length()?;
        let mut ordinal = 0;
        for _ in 0..count {
            ordinal += input.length()?;
            records.get_mut(ordinal)?.keys.push(key.to_vec());
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_record() -> impl Strategy<Value = Record> {
        let keys = prop::collection::btree_set(prop::collection::vec(any::<u8>(), 0..9), 0..4);
        let body = prop::collection::vec(any::<u8>(), 0..40);
        (any::<u64>(), any::<u64>(), any::<[u8; 32]>(), keys, body).prop_map(
            |(index, wall_ms, chain, keys, body)| Record {
                revision: 0,
                index,
                wall_ms,
                chain,
                keys: keys.into_iter().collect(),
                body: body.into(),
            },
        )
    }

    proptest! {
        #[test]
        fn records_and_their_keys_come_back(
            first in 1..u64::MAX - 100,
            mut records in prop::collection::vec(any_record(), 1..20),
        ) {
            // Compression and postings lose nothing, whatever the numbers are.
            for (record, revision) in records.iter_mut().zip(first..) {
                record.revision = revision;
            }
            prop_assert_eq!(decode(&encode(&records), first), Some(records));
        }
    }
}
