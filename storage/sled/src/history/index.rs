//! Which complete segments have a key: sorted runs of (key hash, segment), merged like the levels of an LSM tree.
//!
//! A hash may belong to several keys; then a segment is read in vain. It never hides one.

use crate::Error;
use crate::checksum::{frame, unframe};
use crate::database::Database;
use crate::encoding::{Input, put_u64s, put_varint};
use sled::Batch;

pub(super) const KIND_BLOCK: u8 = b'x';
pub(super) const KIND_FENCES: u8 = b'f';

/// One lookup reads about one block per run.
const BLOCK_BYTES: usize = 16 * 1024;

/// Segments of one hash in one group, so that a key of every segment does not make a block of any size.
const GROUP_SEGMENTS_MAX: usize = 2048;

/// What the head knows of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RunMeta {
    pub(super) id: u64,
    pub(super) level: u8,
    /// The first revisions of the oldest and the newest segment it covers.
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) blocks: u32,
    pub(super) fence_parts: u16,
}

/// A run with the first hash of each of its blocks.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) meta: RunMeta,
    fences: Vec<u64>,
}

/// One posting: a key's hash and a segment's first revision.
pub(super) type Posting = (u64, u64);

/// FNV-1a, 64 bits, then mixed. Stored, so it must never change.
pub(super) fn hash(key: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Writes a run of sorted postings in batches of bounded size; nothing points to it yet.
pub(super) fn write(
    database: &Database,
    id: u64,
    level: u8,
    postings: &[Posting],
) -> Result<Run, Error> {
    let mut fences = Vec::new();
    let mut batch = Batch::default();
    for block in blocks(postings) {
        let number = fences.len() as u32;
        fences.push(block.first_hash);
        let key = block_key(id, number);
        batch.insert(&key, frame(KIND_BLOCK, &key, &block.bytes));
        if fences.len().is_multiple_of(64) {
            database.apply_loose(std::mem::take(&mut batch))?;
        }
    }
    let bytes: Vec<u8> = fences
        .iter()
        .flat_map(|fence| fence.to_le_bytes())
        .collect();
    let fence_parts = database.put_parts(&mut batch, KIND_FENCES, &fences_key(id), &bytes);
    database.apply_loose(batch)?;
    let segments = postings.iter().map(|(_, segment)| *segment);
    let meta = RunMeta {
        id,
        level,
        first: segments.clone().min().unwrap_or(0),
        last: segments.max().unwrap_or(0),
        blocks: fences.len() as u32,
        fence_parts,
    };
    Ok(Run { meta, fences })
}

struct Block {
    first_hash: u64,
    bytes: Vec<u8>,
}

/// Cuts postings into blocks of groups of one hash.
fn blocks(postings: &[Posting]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for same in postings.chunk_by(|one, other| one.0 == other.0) {
        for group in same.chunks(GROUP_SEGMENTS_MAX) {
            let full = blocks
                .last()
                .is_none_or(|block| block.bytes.len() >= BLOCK_BYTES);
            if full {
                blocks.push(Block {
                    first_hash: group[0].0,
                    bytes: Vec::with_capacity(BLOCK_BYTES + 64),
                });
            }
            if let Some(block) = blocks.last_mut() {
                put_group(&mut block.bytes, group);
            }
        }
    }
    blocks
}

fn put_group(out: &mut Vec<u8>, group: &[Posting]) {
    out.extend_from_slice(&group[0].0.to_le_bytes());
    put_varint(out, group[0].1);
    let deltas: Vec<u64> = group.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    put_u64s(out, &deltas);
}

/// Every posting of a block.
fn decode_block(bytes: &[u8]) -> Option<Vec<Posting>> {
    let mut input = Input::new(bytes);
    let mut postings = Vec::new();
    while !input.is_empty() {
        let hash = input.u64()?;
        let mut segment = input.varint()?;
        postings.push((hash, segment));
        for delta in input.u64s()? {
            segment = segment.checked_add(delta)?;
            postings.push((hash, segment));
        }
    }
    Some(postings)
}

fn block_key(run: u64, number: u32) -> [u8; 13] {
    let mut key = [KIND_BLOCK; 13];
    key[1..9].copy_from_slice(&run.to_be_bytes());
    key[9..].copy_from_slice(&number.to_be_bytes());
    key
}

fn fences_key(run: u64) -> [u8; 9] {
    let mut key = [KIND_FENCES; 9];
    key[1..].copy_from_slice(&run.to_be_bytes());
    key
}

/// Where the keys of run `id` and all later ones begin, of each kind.
pub(super) fn keys_from(id: u64) -> [([u8; 9], [u8; 1]); 2] {
    let mut blocks = [KIND_BLOCK; 9];
    blocks[1..].copy_from_slice(&id.to_be_bytes());
    [
        (blocks, [KIND_BLOCK + 1]),
        (fences_key(id), [KIND_FENCES + 1]),
    ]
}

// === impl Run ===

impl Run {
    pub(super) fn open(database: &Database, meta: RunMeta) -> Result<Self, Error> {
        let bytes = database.parts(KIND_FENCES, &fences_key(meta.id), meta.fence_parts)?;
        let mut input = Input::new(&bytes);
        let fences: Option<Vec<u64>> = (0..meta.blocks).map(|_| input.u64()).collect();
        match fences.filter(|_| input.is_empty()) {
            Some(fences) => Ok(Self { meta, fences }),
            None => Err(database.damaged(format!("history index run {} cannot be read", meta.id))),
        }
    }

    /// Adds the segments that may have a key of this hash.
    pub(super) fn find(
        &self,
        database: &Database,
        hash: u64,
        segments: &mut Vec<u64>,
    ) -> Result<(), Error> {
        let after = self.fences.partition_point(|fence| *fence < hash);
        let from = after.saturating_sub(1);
        let covering = self.fences[from..]
            .iter()
            .take_while(|fence| **fence <= hash);
        for number in from..from + covering.count() {
            let postings = self.block(database, number as u32)?;
            let found = postings.into_iter().filter(|posting| posting.0 == hash);
            segments.extend(found.map(|posting| posting.1));
        }
        Ok(())
    }

    /// Everything it holds, sorted.
    pub(super) fn postings(&self, database: &Database) -> Result<Vec<Posting>, Error> {
        let mut postings = Vec::new();
        for number in 0..self.meta.blocks {
            postings.extend(self.block(database, number)?);
        }
        Ok(postings)
    }

    fn block(&self, database: &Database, number: u32) -> Result<Vec<Posting>, Error> {
        let key = block_key(self.meta.id, number);
        let value = database.value(&key)?;
        let bytes = value
            .as_deref()
            .map(|value| unframe(KIND_BLOCK, &key, value));
        let postings = bytes.and_then(|bytes| decode_block(bytes.ok()?));
        postings.ok_or_else(|| {
            let id = self.meta.id;
            database.damaged(format!(
                "block {number} of history index run {id} cannot be read"
            ))
        })
    }
}

// === impl RunMeta ===

impl RunMeta {
    /// Adds the removal of everything of this run.
    pub(super) fn remove(&self, database: &Database, batch: &mut Batch) {
        for number in 0..self.blocks {
            batch.remove(&block_key(self.id, number));
        }
        database.remove_parts(batch, &fences_key(self.id), self.fence_parts);
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.id);
        out.push(self.level);
        put_varint(out, self.first);
        put_varint(out, self.last);
        put_varint(out, self.blocks.into());
        put_varint(out, self.fence_parts.into());
    }

    pub(super) fn decode(input: &mut Input<'_>) -> Option<Self> {
        Some(Self {
            id: input.varint()?,
            level: input.u8()?,
            first: input.varint()?,
            last: input.varint()?,
            blocks: input.varint()?.try_into().ok()?,
            fence_parts: input.varint()?.try_into().ok()?,
        })
    }
}
