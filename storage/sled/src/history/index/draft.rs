//! A run while it is being written, a few blocks at a time.

use super::{BLOCK_BYTES, KIND_BLOCK, KIND_FENCES, Posting, Run, RunMeta, block_key, fences_key};
use crate::Error;
use crate::checksum::frame;
use crate::database::Database;
use crate::encoding::put_varint;
use sled::Batch;

/// Segments of one hash in one group, so that a key of every segment does not make a block of any size.
const GROUP_SEGMENTS_MAX: usize = 2048;

/// Takes sorted postings and cuts them into blocks of groups of one hash. Nothing points to what it writes.
#[derive(Debug)]
pub(crate) struct RunDraft {
    id: u64,
    level: u8,
    /// The first hash of each block, the open one included.
    fences: Vec<u64>,
    /// The block being filled.
    block: Vec<u8>,
    /// The hash whose segments are being gathered.
    hash: u64,
    segments: Vec<u64>,
    /// Blocks that are full and not stored.
    waiting: Batch,
    waiting_bytes: usize,
    covered: Option<(u64, u64)>,
}

// === impl RunDraft ===

impl RunDraft {
    pub(crate) fn new(id: u64, level: u8) -> Self {
        Self {
            id,
            level,
            fences: Vec::new(),
            block: Vec::new(),
            hash: 0,
            segments: Vec::new(),
            waiting: Batch::default(),
            waiting_bytes: 0,
            covered: None,
        }
    }

    /// The next posting; never smaller than the one before.
    pub(crate) fn add(&mut self, (hash, segment): Posting) {
        if hash != self.hash || self.segments.len() == GROUP_SEGMENTS_MAX {
            self.close_group();
            self.hash = hash;
        }
        self.segments.push(segment);
        let (first, last) = self.covered.unwrap_or((segment, segment));
        self.covered = Some((first.min(segment), last.max(segment)));
    }

    /// What [`RunDraft::store`] would write.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Applies the full blocks.
    pub(crate) fn store(&mut self, database: &Database) -> Result<(), Error> {
        self.waiting_bytes = 0;
        database.apply_loose(std::mem::take(&mut self.waiting))
    }

    /// Applies the rest. The run is whole now, but no head names it.
    pub(crate) fn finish(mut self, database: &Database) -> Result<Run, Error> {
        self.close_group();
        self.close_block();
        let fences = self.fences.iter().flat_map(|fence| fence.to_le_bytes());
        let bytes: Vec<u8> = fences.collect();
        let key = fences_key(self.id);
        let fence_parts = database.put_parts(&mut self.waiting, KIND_FENCES, &key, &bytes);
        self.store(database)?;
        let (first, last) = self.covered.unwrap_or((0, 0));
        let meta = RunMeta {
            id: self.id,
            level: self.level,
            first,
            last,
            blocks: self.fences.len() as u32,
            fence_parts,
        };
        let fences = self.fences;
        Ok(Run { meta, fences })
    }

    fn close_group(&mut self) {
        let Some(first) = self.segments.first() else {
            return;
        };
        if self.block.is_empty() {
            self.fences.push(self.hash);
            self.block.reserve(BLOCK_BYTES + 64);
        }
        self.block.extend_from_slice(&self.hash.to_le_bytes());
        put_varint(&mut self.block, *first);
        put_varint(&mut self.block, self.segments.len() as u64 - 1);
        for pair in self.segments.windows(2) {
            put_varint(&mut self.block, pair[1] - pair[0]);
        }
        self.segments.clear();
        if self.block.len() >= BLOCK_BYTES {
            self.close_block();
        }
    }

    fn close_block(&mut self) {
        if self.block.is_empty() {
            return;
        }
        let key = block_key(self.id, self.fences.len() as u32 - 1);
        let value = frame(KIND_BLOCK, &key, &self.block);
        self.waiting_bytes += value.len();
        self.waiting.insert(&key, value);
        self.block.clear();
    }
}
