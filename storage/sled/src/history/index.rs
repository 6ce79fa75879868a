//! Which complete segments have a key: sorted runs of (key hash, segment), merged like the levels of an LSM tree.
//!
//! A hash may belong to several keys; then a segment is read in vain. It never hides one.

mod draft;

use crate::Error;
use crate::checksum::unframe;
use crate::database::Database;
use crate::encoding::{Input, put_varint};
pub(super) use draft::RunDraft;
use sled::Batch;

pub(super) const KIND_BLOCK: u8 = b'x';
pub(super) const KIND_FENCES: u8 = b'f';

/// One lookup reads about one block per run.
const BLOCK_BYTES: usize = 16 * 1024;

/// Blocks that are applied together.
const BATCH_BYTES: usize = 64 * BLOCK_BYTES;

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

/// Writes a run of sorted postings; nothing points to it yet.
pub(super) fn write(
    database: &Database,
    id: u64,
    level: u8,
    postings: &[Posting],
) -> Result<Run, Error> {
    let mut draft = RunDraft::new(id, level);
    for posting in postings {
        draft.add(*posting);
        if draft.waiting_bytes() >= BATCH_BYTES {
            draft.store(database)?;
        }
    }
    draft.finish(database)
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
    run_key(KIND_FENCES, run)
}

fn run_key(kind: u8, run: u64) -> [u8; 9] {
    let mut key = [kind; 9];
    key[1..].copy_from_slice(&run.to_be_bytes());
    key
}

/// Where the keys of run `id` and all later ones begin, of each kind.
pub(super) fn keys_from(id: u64) -> [([u8; 9], [u8; 1]); 2] {
    [
        (run_key(KIND_BLOCK, id), [KIND_BLOCK + 1]),
        (run_key(KIND_FENCES, id), [KIND_FENCES + 1]),
    ]
}

/// Where the keys of run `id` begin and end, of each kind.
pub(super) fn keys_of(id: u64) -> [([u8; 9], [u8; 9]); 2] {
    [KIND_BLOCK, KIND_FENCES].map(|kind| (run_key(kind, id), run_key(kind, id + 1)))
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

    /// One that was given up: nobody looks anything up in it any more, and part of it may be removed.
    pub(super) fn given_up(meta: RunMeta) -> Self {
        let fences = Vec::new();
        Self { meta, fences }
    }

    /// One block's postings, sorted.
    pub(super) fn block(&self, database: &Database, number: u32) -> Result<Vec<Posting>, Error> {
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
    /// Adds the removal of its last blocks, at most `count`, and says what is left of it; the fences go with the first block.
    pub(super) fn shorten(
        &self,
        database: &Database,
        batch: &mut Batch,
        count: u32,
    ) -> Option<Self> {
        let left = self.blocks.saturating_sub(count);
        for number in left..self.blocks {
            batch.remove(&block_key(self.id, number));
        }
        if left > 0 {
            return Some(Self {
                blocks: left,
                ..*self
            });
        }
        database.remove_parts(batch, &fences_key(self.id), self.fence_parts);
        None
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
