//! Keeping the store small and quick: merging runs of the index, dropping what retention gave up. Bounded work per call.

use super::HistoryWriter;
use super::index::Run;
use super::merge::Merge;
use super::state::State;
use crate::Error;
use std::sync::Arc;

/// This many runs of one level become one of the next.
const MERGE_RUNS: usize = 8;

/// Runs of this level are not merged any more: one covers 1024 segments, about 64 MiB of records before compression.
const LEVEL_MAX: u8 = 2;

/// Blocks that one slice of a merge reads: 256 KiB, one to two milliseconds.
const SLICE_BLOCKS: u32 = 16;

/// A slice also does this part of everything that waits to be merged, so that merging keeps up with any rate of commits.
const SLICE_PARTS: u32 = 16;

/// Blocks of a replaced run removed per call.
const REMOVALS_PER_CALL: u32 = 64;

/// Segments dropped per call.
const DROPS_PER_CALL: usize = 64;

impl HistoryWriter {
    /// Gives up everything below `revision`: it is invisible and, durably, gone for queries on return; its room is given back by and by.
    ///
    /// # Errors
    /// `Misuse` for a revision above what there is; the disk's own.
    pub fn drop_before(&mut self, revision: u64) -> Result<(), Error> {
        let result = self.raise_floor(revision);
        self.finish(result)
    }

    fn raise_floor(&mut self, revision: u64) -> Result<(), Error> {
        let newest = self.head.through.revision;
        if revision > newest + 1 {
            return Err(Error::misuse(format!(
                "a history floor of {revision} above the newest revision {newest}"
            )));
        }
        if revision <= self.head.floor {
            return Ok(());
        }
        let mut head = self.head.clone();
        head.floor = revision;
        head.gaps.retain(|gap| gap.last >= revision);
        for gap in &mut head.gaps {
            gap.first = gap.first.max(revision);
        }
        head.voids.retain(|void| void.last >= revision);
        for void in &mut head.voids {
            void.first = void.first.max(revision);
        }
        head.sequence += 1;
        self.shared
            .database
            .apply(sled::Batch::default(), &head.encode())?;
        self.shared.database.commit(head.sequence)?;
        let mut state = self.shared.state_mut();
        state.floor = head.floor;
        state.gaps = head.gaps.clone();
        state.voids = head.voids.clone();
        drop(state);
        self.head = head;
        Ok(())
    }

    /// Does a bounded piece of every kind of upkeep that is due, and says whether any was. [`HistoryWriter::commit`] calls it too.
    /// Nothing of it is made durable here: it leaves with the next commit.
    ///
    /// # Errors
    /// The disk's own.
    pub fn upkeep(&mut self) -> Result<bool, Error> {
        let result = self.tidy();
        self.finish(result)
    }

    pub(super) fn tidy(&mut self) -> Result<bool, Error> {
        let dropped = self.drop_segments()? | self.drop_run()?;
        Ok(dropped | self.merge_slice()?)
    }

    /// Removes segments below the floor.
    fn drop_segments(&mut self) -> Result<bool, Error> {
        let floor = self.head.floor;
        let below: Vec<_> = {
            let state = self.shared.state();
            let headers = state.headers.values().take(DROPS_PER_CALL);
            headers
                .take_while(|header| header.last < floor)
                .cloned()
                .collect()
        };
        if below.is_empty() {
            return Ok(false);
        }
        let mut batch = sled::Batch::default();
        for header in &below {
            header.remove(&self.shared.database, &mut batch);
        }
        let firsts = |first: &u64| below.iter().any(|header| header.first == *first);
        self.head.pending.retain(|first| !firsts(first));
        self.write_head(batch)?;
        let mut state = self.shared.state_mut();
        for header in &below {
            state.headers.remove(&header.first);
            state.young.remove(&header.first);
        }
        state.pending.retain(|pending| !firsts(&pending.first));
        Ok(true)
    }

    /// Removes blocks of a run that was merged, or of one that retention left nothing of, once no reader holds it.
    fn drop_run(&mut self) -> Result<bool, Error> {
        self.doom_runs_below_the_floor();
        let unheld = self
            .doomed
            .iter()
            .position(|run| Arc::strong_count(run) == 1);
        let Some(position) = unheld else {
            return Ok(false);
        };
        let meta = self.doomed.swap_remove(position).meta;
        let mut batch = sled::Batch::default();
        let left = meta.shorten(&self.shared.database, &mut batch, REMOVALS_PER_CALL);
        self.head.doomed.retain(|doomed| doomed.id != meta.id);
        self.head.doomed.extend(left);
        self.doomed
            .extend(left.map(|meta| Arc::new(Run::given_up(meta))));
        self.write_head(batch)?;
        Ok(true)
    }

    /// A run whose every segment is gone has nothing to find.
    fn doom_runs_below_the_floor(&mut self) {
        let mut state = self.shared.state_mut();
        let oldest = state.headers.keys().next().copied().unwrap_or(u64::MAX);
        let (kept, gone) = state
            .runs
            .drain(..)
            .partition(|run| run.meta.last >= oldest);
        state.runs = kept;
        drop(state);
        self.doom(gone);
    }

    fn doom(&mut self, runs: Vec<Arc<Run>>) {
        for run in runs {
            self.head.runs.retain(|kept| kept.id != run.meta.id);
            self.head.doomed.push(run.meta);
            self.doomed.push(run);
        }
    }

    /// Goes on with the merge under way, or begins one.
    fn merge_slice(&mut self) -> Result<bool, Error> {
        let runs = self.shared.state().runs.clone();
        if self.merge.is_none() && !self.begin_merge(&runs)? {
            return Ok(false);
        }
        let Some(merge) = &mut self.merge else {
            return Ok(false);
        };
        let waiting = merge.blocks_left() + blocks_due(&runs, merge);
        drop(runs);
        let slice = SLICE_BLOCKS.max(waiting / SLICE_PARTS);
        let oldest = oldest_segment(&self.shared.state());
        if merge.advance(&self.shared.database, slice, oldest)? {
            self.end_merge()?;
        }
        Ok(true)
    }

    /// Chooses eight runs of one level, if there are. The head names the new run before anything of it is written.
    fn begin_merge(&mut self, runs: &[Arc<Run>]) -> Result<bool, Error> {
        let Some((level, inputs)) = due(runs) else {
            return Ok(false);
        };
        let id = self.head.next_run;
        self.head.next_run += 1;
        self.head.merging = id;
        self.write_head(sled::Batch::default())?;
        self.merge = Some(Merge::new(id, level + 1, inputs));
        Ok(true)
    }

    /// Puts the merged run in its inputs' place.
    fn end_merge(&mut self) -> Result<(), Error> {
        let Some(merge) = self.merge.take() else {
            return Ok(());
        };
        let (merged, inputs) = merge.finish(&self.shared.database)?;
        let merged = Arc::new(merged);
        self.head.merging = 0;
        self.head.runs.push(merged.meta);
        let ids: Vec<_> = inputs.iter().map(|input| input.meta.id).collect();
        // Retention may have given some of them up meanwhile; those are doomed already.
        let given_up = |run: &Arc<Run>| self.doomed.iter().any(|doomed| Arc::ptr_eq(doomed, run));
        let replaced = inputs.into_iter().filter(|run| !given_up(run)).collect();
        self.doom(replaced);
        self.write_head(sled::Batch::default())?;
        let mut state = self.shared.state_mut();
        state.runs.retain(|run| !ids.contains(&run.meta.id));
        state.runs.push(merged);
        Ok(())
    }

    /// Applies upkeep with the head; the next commit makes it durable. Until then a crash brings the old state back whole.
    fn write_head(&mut self, batch: sled::Batch) -> Result<(), Error> {
        self.head.sequence += 1;
        self.shared.database.apply(batch, &self.head.encode())
    }
}

/// The lowest level with eight runs, and those.
fn due(runs: &[Arc<Run>]) -> Option<(u8, Vec<Arc<Run>>)> {
    (0..LEVEL_MAX).find_map(|level| {
        let same = runs.iter().filter(|run| run.meta.level == level);
        let same: Vec<_> = same.take(MERGE_RUNS).cloned().collect();
        (same.len() == MERGE_RUNS).then_some((level, same))
    })
}

/// How much there is to merge after this merge.
fn blocks_due(runs: &[Arc<Run>], merge: &Merge) -> u32 {
    let level = |level| {
        let waits = |run: &&Arc<Run>| run.meta.level == level && !merge.reads(run);
        let blocks: Vec<u32> = runs
            .iter()
            .filter(waits)
            .map(|run| run.meta.blocks)
            .collect();
        let due = blocks.len() / MERGE_RUNS * MERGE_RUNS;
        blocks[..due].iter().sum::<u32>()
    };
    (0..LEVEL_MAX).map(level).sum()
}

fn oldest_segment(state: &State) -> u64 {
    state.headers.keys().next().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
