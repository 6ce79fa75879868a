//! Keeping the store small and quick: merging runs of the index, dropping what retention gave up. Bounded work per call.

use super::HistoryWriter;
use super::index::{self, Posting, Run};
use crate::Error;
use std::sync::Arc;

/// This many runs of one level become one of the next.
const MERGE_RUNS: usize = 8;

/// Runs of this level are not merged any more: one covers 1024 segments, about 64 MiB of records before compression,
/// which is also the most that one merge reads and sorts.
const LEVEL_MAX: u8 = 2;

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
        head.sequence += 1;
        self.shared
            .database
            .apply(sled::Batch::default(), &head.encode())?;
        self.shared.database.commit(head.sequence)?;
        let mut state = self.shared.state_mut();
        state.floor = head.floor;
        state.gaps = head.gaps.clone();
        drop(state);
        self.head = head;
        Ok(())
    }

    /// Does one bounded piece of upkeep, if any is due, and says whether it did. [`HistoryWriter::commit`] calls it too.
    ///
    /// # Errors
    /// The disk's own.
    pub fn upkeep(&mut self) -> Result<bool, Error> {
        let result = self.tidy();
        self.finish(result)
    }

    pub(super) fn tidy(&mut self) -> Result<bool, Error> {
        Ok(self.drop_segments()? || self.drop_run()? || self.merge_runs()?)
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

    /// Removes the blocks of a run that was merged, or of one that retention left nothing of, once no reader holds it.
    fn drop_run(&mut self) -> Result<bool, Error> {
        self.doom_runs_below_the_floor();
        let unheld = self
            .doomed
            .iter()
            .position(|run| Arc::strong_count(run) == 1);
        let Some(position) = unheld else {
            return Ok(false);
        };
        let run = self.doomed.swap_remove(position);
        let mut batch = sled::Batch::default();
        run.meta.remove(&self.shared.database, &mut batch);
        self.head.doomed.retain(|doomed| doomed.id != run.meta.id);
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

    /// Merges eight runs of one level, if there are.
    fn merge_runs(&mut self) -> Result<bool, Error> {
        let runs = self.shared.state().runs.clone();
        let due = (0..LEVEL_MAX).find_map(|level| {
            let same: Vec<_> = runs.iter().filter(|run| run.meta.level == level).collect();
            (same.len() >= MERGE_RUNS).then(|| (level, same[..MERGE_RUNS].to_vec()))
        });
        let Some((level, inputs)) = due else {
            return Ok(false);
        };
        let oldest = self
            .shared
            .state()
            .headers
            .keys()
            .next()
            .copied()
            .unwrap_or(0);
        let mut postings: Vec<Posting> = Vec::new();
        for run in &inputs {
            postings.extend(run.postings(&self.shared.database)?);
        }
        postings.retain(|(_, segment)| *segment >= oldest);
        postings.sort_unstable();
        let id = self.head.next_run;
        let merged = Arc::new(index::write(
            &self.shared.database,
            id,
            level + 1,
            &postings,
        )?);
        self.head.next_run += 1;
        self.head.runs.push(merged.meta);
        let inputs: Vec<_> = inputs.into_iter().cloned().collect();
        drop(runs);
        self.doom(inputs.clone());
        self.write_head(sled::Batch::default())?;
        let mut state = self.shared.state_mut();
        state
            .runs
            .retain(|run| inputs.iter().all(|input| input.meta.id != run.meta.id));
        state.runs.push(merged);
        Ok(true)
    }

    /// Applies upkeep with the head; the next commit makes it durable. Until then a crash brings the old state back whole.
    fn write_head(&mut self, batch: sled::Batch) -> Result<(), Error> {
        self.head.sequence += 1;
        self.shared.database.apply(batch, &self.head.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Record, create, index, open};
    use crate::DatabaseOptions;
    use bytes::Bytes;

    #[test]
    fn a_run_that_is_merged_stays_readable_for_who_holds_it() {
        // A reader that took the runs before a merge finds everything in them; their blocks go once it is done.
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history");
        create(&path).unwrap();
        let (mut writer, _reader) = open(&path, DatabaseOptions::default()).unwrap();
        for revision in 1..=16 * 7 {
            writer.append(vec![record(revision)]).unwrap();
            writer.commit().unwrap();
        }
        let held = writer.shared.state().runs.clone();
        assert_eq!(held.len(), 7);
        for revision in 16 * 7 + 1..=16 * 8 {
            writer.append(vec![record(revision)]).unwrap();
            writer.commit().unwrap();
        }
        while writer.upkeep().unwrap() {}
        assert_eq!(writer.shared.state().runs.len(), 1);
        let mut found = Vec::new();
        for run in &held {
            let hash = index::hash(b"key");
            run.find(&writer.shared.database, hash, &mut found).unwrap();
        }
        assert_eq!(found.len(), 16 * 7);
        assert_eq!(writer.head.doomed.len(), 7);
        drop(held);
        while writer.upkeep().unwrap() {}
        assert_eq!(writer.head.doomed, []);
    }

    /// Large enough to be a segment by itself.
    fn record(revision: u64) -> Record {
        Record {
            revision,
            index: revision,
            wall_ms: revision,
            chain: [1; 32],
            keys: vec![b"key".to_vec()],
            body: Bytes::from(vec![1; 70_000]),
        }
    }
}
