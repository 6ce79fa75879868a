//! The raft log on sled: one value per flushed batch, keyed by its first index.
//!
//! Knows nothing of what entries mean. A chunk that only appends carries its head: one value, one atomic write.
//! Everything is in one tree (S7), so that for all else one sled batch is one atomic write:
//! the head record (hard state, membership, snapshot pointer, floor, last index), log chunks and snapshot chunks.

mod chunk;
mod head;
mod load;
mod snapshot;
mod tail;

use crate::Error;
use crate::database::{Database, DatabaseOptions};
use berth_raft::log_store::{self, Batch, Loaded, LogStore};
use bytes::Bytes;
use head::Head;
use sled::IVec;
use snapshot::Staging;
use std::any::Any;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use tail::Tail;
use uuid::Uuid;

/// Removals per write. A long prefix goes away a little at a time: ten thousand keys at once stalled the log by 150 ms.
const REMOVALS_PER_WRITE: usize = 16;

/// A replica's log on sled. See [`LogStore`] for the promises; every error is final.
#[derive(Debug)]
pub struct SledLog {
    database: Database,
    head: Head,
    tail: Tail,
    staging: Staging,
    /// Keys that the head no longer refers to; each group goes at once.
    garbage: VecDeque<Vec<IVec>>,
    loaded: bool,
    _lock: Option<Arc<dyn Any + Send + Sync>>,
}

/// Makes an empty log, durable on return.
pub(crate) fn create(path: &Path) -> Result<(), Error> {
    Database::create(path, &Head::default().encode())
}

// === impl SledLog ===

impl SledLog {
    /// Opens a log that a data directory's creation made; a missing one is an error.
    ///
    /// # Errors
    /// `Damaged`, or sled's own.
    pub fn open(path: &Path, options: DatabaseOptions) -> Result<Self, Error> {
        Ok(Self {
            database: Database::open(path, options)?,
            head: Head::default(),
            tail: Tail::default(),
            staging: Staging::default(),
            garbage: VecDeque::new(),
            loaded: false,
            _lock: None,
        })
    }

    /// Makes an empty log outside a data directory, for tests and measurements.
    ///
    /// # Errors
    /// sled's own.
    pub fn create(path: &Path) -> Result<(), Error> {
        create(path)
    }

    /// Refuses the log of another store.
    pub(crate) fn belonging_to(self, store: Uuid) -> Result<Self, Error> {
        self.database.belong_to(store)?;
        Ok(self)
    }

    /// Holds something as long as the log is open.
    pub(crate) fn keeping(mut self, lock: Arc<dyn Any + Send + Sync>) -> Self {
        self._lock = Some(lock);
        self
    }

    fn write_batch(&mut self, batch: &Batch) -> Result<(), Error> {
        if !self.loaded {
            return Err(Error::misuse("a batch before the log was loaded"));
        }
        let head = self.head.next(batch.hard_state);
        if !self.write_alone(&head, batch)? {
            self.write_together(head, batch)?;
        }
        if batch.must_sync {
            self.database.commit(self.head.sequence)?;
        }
        Ok(())
    }

    /// A chunk behind the last one, or a new hard state, is one value: no batch is needed. False if there is more to do.
    fn write_alone(&mut self, head: &Head, batch: &Batch) -> Result<bool, Error> {
        let is_more = batch.snapshot.is_some()
            || batch.membership.is_some()
            || batch.compact_to.is_some()
            || self.garbage.len() >= REMOVALS_PER_WRITE;
        if is_more {
            return Ok(false);
        }
        let mut head = head.clone();
        match batch.entries.first() {
            None => {
                head.check_promise(batch)?;
                self.database.replace_head(&head.encode())?;
            }
            Some(first) => {
                let key = chunk::key(first.index);
                let Some((payload, added)) = tail::alone(&mut head, &batch.entries)? else {
                    return Ok(false);
                };
                head.check_promise(batch)?;
                self.database.put_alone(chunk::KIND, &key, &payload)?;
                self.tail.chunks.insert(first.index, added);
            }
        }
        self.head = head;
        Ok(true)
    }

    /// Everything that a write can be, with the head, all or nothing.
    fn write_together(&mut self, mut head: Head, batch: &Batch) -> Result<(), Error> {
        let mut tail = tail::Change::of(&self.tail);
        let mut changes = sled::Batch::default();
        if let Some(install) = &batch.snapshot {
            snapshot::install(self, install, &mut head, &mut tail, &mut changes)?;
        }
        tail.append(&self.database, &mut head, &batch.entries, &mut changes)?;
        head.check_promise(batch)?;
        if let Some(membership) = &batch.membership {
            head.membership = membership.clone();
        }
        if let Some(floor) = batch.compact_to {
            head.compact_to(floor)?;
        }
        let tail = tail.finish();
        self.remove_garbage(&mut changes);
        self.database.apply(changes, &head.encode())?;
        tail.take_effect(&mut self.tail);
        self.garbage.extend(self.tail.compact(head.truncated_index));
        let before = std::mem::replace(&mut self.head, head);
        if batch.snapshot.is_some() {
            self.settle_snapshot(&before);
        }
        Ok(())
    }

    /// Adds a bounded number of removals to a batch.
    fn remove_garbage(&mut self, changes: &mut sled::Batch) {
        let mut removed = 0;
        while removed < REMOVALS_PER_WRITE
            && let Some(keys) = self.garbage.pop_front()
        {
            removed += keys.len();
            keys.into_iter().for_each(|key| changes.remove(key));
        }
    }

    /// What an installation leaves behind becomes garbage.
    fn settle_snapshot(&mut self, before: &Head) {
        let Some(installed) = &self.head.snapshot else {
            return;
        };
        let mut keys = self.staging.settle(installed);
        if let Some(old) = &before.snapshot {
            keys.extend(snapshot::keys(before.snapshot_generation, old));
        }
        self.garbage.extend(keys.into_iter().map(|key| vec![key]));
    }

    /// Remembers the first failure and says what was being done.
    fn finish<R>(
        &self,
        doing: &'static str,
        result: Result<R, Error>,
    ) -> Result<R, log_store::Error> {
        result.map_err(|error| {
            self.database.poison(&error);
            log_store::Error {
                doing,
                source: Box::new(error),
            }
        })
    }
}

impl LogStore for SledLog {
    fn load(&mut self) -> Result<Loaded, log_store::Error> {
        let result = load::load(self);
        self.finish("loading the log", result)
    }

    fn write(&mut self, batch: &Batch) -> Result<(), log_store::Error> {
        let result = self.write_batch(batch);
        self.finish("writing to the log", result)
    }

    fn stage_chunk(
        &mut self,
        index: u64,
        number: u32,
        chunk: &[u8],
    ) -> Result<(), log_store::Error> {
        let result = snapshot::stage(self, index, number, chunk);
        self.finish("staging a snapshot chunk", result)
    }

    fn read_chunk(&self, index: u64, number: u32) -> Result<Bytes, log_store::Error> {
        let result = snapshot::read(self, index, number);
        result.map_err(|error| log_store::Error {
            doing: "reading a snapshot chunk",
            source: Box::new(error),
        })
    }
}
