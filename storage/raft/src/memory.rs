//! A log store in memory: for tests, and for the simulator's disk, which adds crashes to it.

use crate::log_store::{
    Batch, Entry, Error, HardState, Loaded, LogStore, Membership, SnapshotMeta,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps everything and loses nothing; clones share their content, so a replica can be started again on it.
#[derive(Clone, Default)]
pub struct Memory {
    content: Arc<Mutex<Content>>,
}

/// What a disk holds. Every batch is applied whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) hard_state: HardState,
    pub(crate) membership: Membership,
    pub(crate) snapshot: Option<SnapshotMeta>,
    pub(crate) truncated_index: u64,
    pub(crate) truncated_term: u64,
    pub(crate) entries: Vec<Entry>,
    /// Installed and staged ones, by snapshot index and chunk number.
    pub(crate) chunks: BTreeMap<(u64, u32), Bytes>,
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("chunk {number} of the snapshot at index {index} is not here")]
    NoChunk { index: u64, number: u32 },
    #[error("entries from {first} on do not follow the log, which ends at {last}")]
    Gap { first: u64, last: u64 },
    #[error("the log cannot be compacted to {to}: it spans {floor} to {last}")]
    Compact { to: u64, floor: u64, last: u64 },
    #[error("the commit index {commit} is beyond the log, which ends at {last}")]
    Commit { commit: u64, last: u64 },
}

// === impl Content ===

impl Content {
    pub(crate) fn last_index(&self) -> u64 {
        self.truncated_index + self.entries.len() as u64
    }

    pub(crate) fn apply(&mut self, batch: &Batch) -> Result<(), Error> {
        let failed = |doing, broken: Broken| {
            Err(Error {
                doing,
                source: Box::new(broken),
            })
        };
        if let Some(install) = &batch.snapshot {
            let meta = &install.meta;
            if let Some(number) =
                (0..meta.chunks).find(|number| !self.chunks.contains_key(&(meta.index, *number)))
            {
                return failed(
                    "install a snapshot",
                    Broken::NoChunk {
                        index: meta.index,
                        number,
                    },
                );
            }
            if install.reset_log {
                self.entries.clear();
                self.truncated_index = meta.index;
                self.truncated_term = meta.term;
            }
            self.chunks.retain(|(index, _), _| *index >= meta.index);
            self.snapshot = Some(meta.clone());
        }
        if let Some(first) = batch.entries.first() {
            let last = self.last_index();
            if first.index <= self.truncated_index || first.index > last + 1 {
                return failed(
                    "append to the log",
                    Broken::Gap {
                        first: first.index,
                        last,
                    },
                );
            }
            self.entries
                .truncate((first.index - self.truncated_index - 1) as usize);
            self.entries.extend(batch.entries.iter().cloned());
        }
        if let Some((to, term)) = batch
            .compact_to
            .filter(|(to, _)| *to > self.truncated_index)
        {
            let (floor, last) = (self.truncated_index, self.last_index());
            if to > last {
                return failed("compact the log", Broken::Compact { to, floor, last });
            }
            self.entries.drain(..(to - floor) as usize);
            self.truncated_index = to;
            self.truncated_term = term;
        }
        if let Some(membership) = &batch.membership {
            self.membership = membership.clone();
        }
        if let Some(state) = batch.hard_state {
            if state.commit > self.last_index() {
                return failed(
                    "write the hard state",
                    Broken::Commit {
                        commit: state.commit,
                        last: self.last_index(),
                    },
                );
            }
            self.hard_state = state;
        }
        Ok(())
    }

    pub(crate) fn loaded(&self) -> Loaded {
        Loaded {
            hard_state: self.hard_state,
            membership: self.membership.clone(),
            snapshot: self.snapshot.clone(),
            truncated_index: self.truncated_index,
            truncated_term: self.truncated_term,
            entries: self.entries.clone(),
        }
    }

    pub(crate) fn chunk(&self, index: u64, number: u32) -> Result<Bytes, Error> {
        let is_installed = self
            .snapshot
            .as_ref()
            .is_some_and(|meta| meta.index == index);
        let chunk = self.chunks.get(&(index, number)).filter(|_| is_installed);
        chunk.cloned().ok_or_else(|| Error {
            doing: "read a snapshot's chunk",
            source: Box::new(Broken::NoChunk { index, number }),
        })
    }
}

// === impl Memory ===

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn with<R>(&self, work: impl FnOnce(&mut Content) -> R) -> R {
        work(&mut self.content.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LogStore for Memory {
    fn load(&mut self) -> Result<Loaded, Error> {
        Ok(self.with(|content| content.loaded()))
    }

    fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        self.with(|content| content.apply(batch))
    }

    fn stage_chunk(&mut self, index: u64, number: u32, chunk: &[u8]) -> Result<(), Error> {
        let chunk = Bytes::copy_from_slice(chunk);
        self.with(|content| content.chunks.insert((index, number), chunk));
        Ok(())
    }

    fn read_chunk(&self, index: u64, number: u32) -> Result<Bytes, Error> {
        self.with(|content| content.chunk(index, number))
    }
}
