//! The one writer of a history.

use super::head::Head;
use super::index::{self, Posting, Run};
use super::merge::Merge;
use super::plan::{Plan, plan};
use super::state::{Pending, Shared};
use super::{KEY_BYTES_MAX, Record, Through};
use crate::Error;
use std::any::Any;
use std::sync::Arc;
use uuid::Uuid;

/// So many complete segments become a run of the index.
pub(super) const RUN_SEGMENTS: usize = 16;

/// Appends records and keeps the store tidy. One per history; every error is final.
#[derive(Debug)]
pub struct HistoryWriter {
    pub(super) shared: Arc<Shared>,
    pub(super) head: Head,
    /// Runs that were merged into others; a reader may still hold them.
    pub(super) doomed: Vec<Arc<Run>>,
    /// Goes on a slice at a time.
    pub(super) merge: Option<Merge>,
    /// Appended, not yet committed.
    buffer: Vec<Record>,
    /// Every record of the raft indexes up to here was appended.
    reached: u64,
    _lock: Option<Arc<dyn Any + Send + Sync>>,
}

// === impl HistoryWriter ===

impl HistoryWriter {
    pub(super) fn new(shared: Arc<Shared>, mut head: Head, doomed: Vec<Arc<Run>>) -> Self {
        // What an earlier process had begun to merge was removed when the history was opened.
        head.merging = 0;
        Self {
            shared,
            doomed,
            merge: None,
            buffer: Vec::new(),
            reached: head.through.index,
            head,
            _lock: None,
        }
    }

    /// Refuses the history of another store.
    pub(crate) fn belonging_to(self, store: Uuid) -> Result<Self, Error> {
        self.shared.database.belong_to(store)?;
        Ok(self)
    }

    /// Holds something as long as the history is open.
    pub(crate) fn keeping(mut self, lock: Arc<dyn Any + Send + Sync>) -> Self {
        self._lock = Some(lock);
        self
    }

    /// How far the durable history reaches.
    pub fn through(&self) -> Through {
        self.head.through
    }

    /// How many appended records wait for [`HistoryWriter::commit`].
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Takes records in revision order. After a restart the replay makes old ones again: those up to
    /// [`HistoryWriter::through`] are compared with what is stored, the rest is appended.
    ///
    /// # Errors
    /// `Damaged` if a repeated record has another chain value; `Misuse` for a gap, a key that is too long or an index that falls.
    pub fn append(&mut self, records: Vec<Record>) -> Result<(), Error> {
        let result = records
            .into_iter()
            .try_for_each(|record| self.append_one(record));
        self.finish(result)
    }

    /// Says that every record of the raft indexes up to `index` was appended, also of those that made none.
    /// Without it [`Through::index`] stops one short of the last record's index, of which more might come.
    pub fn reach(&mut self, index: u64) {
        self.reached = self.reached.max(index);
    }

    /// Makes everything appended durable and visible to readers, in one atomic write.
    ///
    /// # Errors
    /// The disk's own.
    pub fn commit(&mut self) -> Result<Through, Error> {
        let result = self.commit_buffer();
        self.finish(result)
    }

    fn append_one(&mut self, mut record: Record) -> Result<(), Error> {
        if record.revision <= self.head.through.revision {
            return self.compare(&record);
        }
        let buffered = self.buffer.last();
        let (next, index) = match buffered {
            Some(last) => (last.revision + 1, last.index),
            None => (self.head.through.revision + 1, 0),
        };
        if record.revision < next {
            let at = self.buffer.len() - (next - record.revision) as usize;
            return check_chain(&self.shared.database, &self.buffer[at], &record);
        }
        if record.revision > next || record.index < index {
            let (revision, index) = (record.revision, record.index);
            return Err(Error::misuse(format!(
                "revision {revision} of index {index} to the history, whose next revision is {next}"
            )));
        }
        settle_keys(&mut record)?;
        self.buffer.push(record);
        Ok(())
    }

    /// A record that is durable already must be the same again.
    fn compare(&self, record: &Record) -> Result<(), Error> {
        let header = {
            let state = self.shared.state();
            if record.revision < state.floor {
                return Ok(());
            }
            state.covering(record.revision).cloned()
        };
        // Without a segment it lies in a gap: importing will check it.
        let Some(header) = header else {
            return Ok(());
        };
        let Some(segment) = self.shared.segment(&header)? else {
            return Ok(());
        };
        let stored = &segment.records[(record.revision - header.first) as usize];
        check_chain(&self.shared.database, stored, record)
    }

    fn commit_buffer(&mut self) -> Result<Through, Error> {
        self.shared.database.check()?;
        let mut through = self.head.through;
        if let Some(last) = self.buffer.last() {
            through.revision = last.revision;
            through.chain = last.chain;
            through.index = through.index.max(last.index.saturating_sub(1));
        }
        through.index = through.index.max(self.reached);
        if through == self.head.through {
            return Ok(through);
        }
        let chain_before = self.head.through.chain;
        let records = std::mem::take(&mut self.buffer);
        let plan = plan(&self.shared.state(), records, chain_before, false);
        let mut head = self.head.clone();
        head.through = through;
        self.store(head, plan)?;
        self.tidy()?;
        Ok(through)
    }

    /// Writes segments and head in one batch, makes it durable, then shows it to readers.
    pub(super) fn store(&mut self, mut head: Head, plan: Plan) -> Result<(), Error> {
        let database = &self.shared.database;
        let mut batch = sled::Batch::default();
        let Plan { removed, mut added } = plan;
        for segment in &removed {
            segment.header.remove(database, &mut batch);
        }
        for draft in &mut added {
            draft.put(database, &mut batch);
        }
        let added: Vec<_> = added
            .into_iter()
            .map(|draft| Arc::new(draft.segment))
            .collect();
        let mut pending = self.shared.state().pending.clone();
        for segment in added.iter().filter(|segment| segment.header.complete) {
            pending.push(Arc::new(Pending::of(segment)));
        }
        let mut runs = self.shared.state().runs.clone();
        while pending.len() >= RUN_SEGMENTS {
            let covered: Vec<_> = pending.drain(..RUN_SEGMENTS).collect();
            runs.push(Arc::new(write_run(database, head.next_run, &covered)?));
            head.next_run += 1;
        }
        head.pending = pending.iter().map(|pending| pending.first).collect();
        head.runs = runs.iter().map(|run| run.meta).collect();
        head.sequence += 1;
        database.apply(batch, &head.encode())?;
        database.commit(head.sequence)?;
        let mut state = self.shared.state_mut();
        for segment in removed {
            state.headers.remove(&segment.header.first);
            state.young.remove(&segment.header.first);
        }
        for segment in added {
            let first = segment.header.first;
            state
                .headers
                .insert(first, Arc::new(segment.header.clone()));
            if !segment.header.complete {
                state.young.insert(first, segment);
            }
        }
        state.pending = pending;
        state.runs = runs;
        state.through = head.through;
        state.floor = head.floor;
        state.gaps = head.gaps.clone();
        state.voids = head.voids.clone();
        drop(state);
        self.head = head;
        Ok(())
    }

    /// After one error every later call fails.
    pub(super) fn finish<R>(&self, result: Result<R, Error>) -> Result<R, Error> {
        result.inspect_err(|error| self.shared.database.poison(error))
    }
}

/// The postings of some segments as a run of the lowest level.
fn write_run(
    database: &crate::database::Database,
    id: u64,
    covered: &[Arc<Pending>],
) -> Result<Run, Error> {
    let mut postings: Vec<Posting> = Vec::new();
    for pending in covered {
        postings.extend(pending.hashes.iter().map(|hash| (*hash, pending.first)));
    }
    postings.sort_unstable();
    index::write(database, id, 0, &postings)
}

fn check_chain(
    database: &crate::database::Database,
    stored: &Record,
    record: &Record,
) -> Result<(), Error> {
    if stored.chain == record.chain {
        return Ok(());
    }
    let revision = record.revision;
    Err(database.damaged(format!(
        "revision {revision} was made again with another hash than the history has"
    )))
}

/// Keys are a set, and none is longer than it may be.
pub(super) fn settle_keys(record: &mut Record) -> Result<(), Error> {
    if let Some(key) = record.keys.iter().find(|key| key.len() > KEY_BYTES_MAX) {
        let (bytes, revision) = (key.len(), record.revision);
        return Err(Error::misuse(format!(
            "a posting key of {bytes} bytes at revision {revision}; {KEY_BYTES_MAX} is the most"
        )));
    }
    record.keys.sort_unstable();
    record.keys.dedup();
    Ok(())
}

// === impl Pending ===

impl Pending {
    pub(super) fn of(segment: &super::segment::Segment) -> Self {
        let keys = segment.records.iter().flat_map(|record| &record.keys);
        let mut hashes: Vec<u64> = keys.map(|key| index::hash(key)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self {
            first: segment.header.first,
            hashes,
        }
    }
}
