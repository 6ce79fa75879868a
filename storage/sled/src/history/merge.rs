//! Merging runs of the index a slice at a time, so that no merge, however large, keeps the history's thread or the disk for long.

use super::index::{Posting, Run, RunDraft};
use crate::Error;
use crate::database::Database;
use std::sync::Arc;

/// A merge under way. Its inputs stay in use until it is done; what it has written so far is named by nothing but the head's
/// [`merging`](super::head::Head::merging), by which a restart removes it.
#[derive(Debug)]
pub(super) struct Merge {
    inputs: Vec<Input>,
    draft: RunDraft,
}

/// One input, read block by block.
#[derive(Debug)]
struct Input {
    run: Arc<Run>,
    /// Of the block that is in memory, what is still to be taken; the smallest last.
    postings: Vec<Posting>,
    /// The next block.
    next: u32,
}

// === impl Merge ===

impl Merge {
    pub(super) fn new(id: u64, level: u8, runs: Vec<Arc<Run>>) -> Self {
        let input = |run| Input {
            run,
            postings: Vec::new(),
            next: 0,
        };
        Self {
            inputs: runs.into_iter().map(input).collect(),
            draft: RunDraft::new(id, level),
        }
    }

    /// Blocks that are still to be read.
    pub(super) fn blocks_left(&self) -> u32 {
        let left = |input: &Input| input.run.meta.blocks - input.next;
        self.inputs.iter().map(left).sum()
    }

    /// Whether this is one of its inputs.
    pub(super) fn reads(&self, run: &Arc<Run>) -> bool {
        self.inputs.iter().any(|input| Arc::ptr_eq(&input.run, run))
    }

    /// Reads up to `blocks` blocks, writes what they make, and says whether that was all. Postings of segments before `oldest`
    /// are left out: retention dropped those.
    pub(super) fn advance(
        &mut self,
        database: &Database,
        blocks: u32,
        oldest: u64,
    ) -> Result<bool, Error> {
        let mut budget = blocks;
        loop {
            for input in &mut self.inputs {
                if !input.fill(database, &mut budget)? {
                    self.draft.store(database)?;
                    return Ok(false);
                }
            }
            let smallest = self
                .inputs
                .iter_mut()
                .filter(|input| !input.postings.is_empty())
                .min_by_key(|input| input.postings.last().copied());
            let Some(posting) = smallest.and_then(|input| input.postings.pop()) else {
                return Ok(true);
            };
            if posting.1 >= oldest {
                self.draft.add(posting);
            }
        }
    }

    /// The merged run, and those it replaces.
    pub(super) fn finish(self, database: &Database) -> Result<(Run, Vec<Arc<Run>>), Error> {
        let merged = self.draft.finish(database)?;
        Ok((
            merged,
            self.inputs.into_iter().map(|input| input.run).collect(),
        ))
    }
}

// === impl Input ===

impl Input {
    /// Reads the next block if the one in memory is used up; false if the budget does not allow it.
    fn fill(&mut self, database: &Database, budget: &mut u32) -> Result<bool, Error> {
        while self.postings.is_empty() && self.next < self.run.meta.blocks {
            if *budget == 0 {
                return Ok(false);
            }
            *budget -= 1;
            self.postings = self.run.block(database, self.next)?;
            self.postings.reverse();
            self.next += 1;
        }
        Ok(true)
    }
}
