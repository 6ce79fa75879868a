//! Fetching a snapshot from another member. A fetch that was cut off goes on where it was, as long as the same snapshot is
//! offered, by whomever: every chunk that came is in memory and staged.

use super::{ChunkTooLarge, stage};
use crate::driver::inside::Inside;
use crate::driver::log_thread::{Closed, Disk, Slow};
use crate::driver::source::{FetchError, SnapshotSource};
use crate::log_store::{LogStore, SnapshotMeta};
use crate::state_machine::{CHUNK_BYTES_MAX, StateMachine};
use bytes::Bytes;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::Builder;

/// The source, and what it brought of a snapshot that is not whole yet. One fetch at a time.
pub(crate) struct Fetcher {
    source: Box<dyn SnapshotSource>,
    /// Of the last fetch, if it was cut off. At most one snapshot's worth of memory.
    partial: Option<Partial>,
}

/// The beginning of a snapshot: staged, in order.
struct Partial {
    meta: SnapshotMeta,
    chunks: Vec<Bytes>,
}

#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error(transparent)]
    ChunkTooLarge(#[from] ChunkTooLarge),
    #[error("more chunks came than the {0} announced")]
    TooManyChunks(u32),
    #[error("{came} of {announced} chunks came")]
    ChunksMissing { came: u32, announced: u32 },
    #[error("the checksum of all chunks is wrong")]
    Checksum,
    #[error("the replica is stopping")]
    Stopping,
}

/// Fetches a snapshot, checks it and stages it.
pub(crate) fn fetch<M: StateMachine, S: LogStore>(
    disk: Arc<Disk<M, S>>,
    fetcher: Arc<Mutex<Fetcher>>,
    from: u64,
    meta: SnapshotMeta,
) -> io::Result<()> {
    let disk = Arc::downgrade(&disk);
    let work = move || {
        let mut fetcher = fetcher.lock().unwrap_or_else(PoisonError::into_inner);
        let index = meta.index;
        let inside = match fetcher.all(&disk, from, &meta) {
            Ok(chunks) => Inside::SnapshotArrived { meta, chunks },
            Err(error) => {
                tracing::warn!(
                    from,
                    index,
                    error = &error as &dyn std::error::Error,
                    "fetching a snapshot failed"
                );
                Inside::SnapshotFailed { index }
            }
        };
        if let Err(Closed) = stage(&disk, Slow::Tell(inside)) {
            tracing::debug!("a fetched snapshot was given up: the replica stops");
        }
    };
    Builder::new()
        .name("berth-fetch".to_owned())
        .spawn(work)
        .map(drop)
}

// === impl Fetcher ===

impl Fetcher {
    pub(crate) fn new(source: Box<dyn SnapshotSource>) -> Self {
        let partial = None;
        Self { source, partial }
    }

    /// All chunks, those of an earlier try included. What came is kept if the rest does not come, but not if all of it
    /// came and is wrong.
    fn all<M: StateMachine, S: LogStore>(
        &mut self,
        disk: &Weak<Disk<M, S>>,
        from: u64,
        meta: &SnapshotMeta,
    ) -> Result<Vec<Bytes>, FetchError> {
        let mut partial = self.begun(meta);
        let first = partial.chunks.len() as u32;
        if first > 0 {
            tracing::info!(
                from,
                index = meta.index,
                first,
                "a snapshot's fetch goes on"
            );
        }
        let fetched = self
            .source
            .fetch(from, meta, first, &mut |chunk| partial.take(disk, chunk));
        let whole = fetched.and_then(|()| partial.check_count());
        if let Err(error) = whole {
            self.partial = Some(partial);
            return Err(error);
        }
        partial.check_sum()?;
        Ok(partial.chunks)
    }

    /// What is here of this very snapshot. Another one is of no use any more.
    fn begun(&mut self, meta: &SnapshotMeta) -> Partial {
        let partial = self.partial.take();
        let same = partial.filter(|partial| partial.meta == *meta);
        let chunks = same.map(|partial| partial.chunks);
        Partial {
            meta: meta.clone(),
            chunks: chunks.unwrap_or_default(),
        }
    }
}

// === impl Partial ===

impl Partial {
    fn take<M: StateMachine, S: LogStore>(
        &mut self,
        disk: &Weak<Disk<M, S>>,
        chunk: Bytes,
    ) -> Result<(), FetchError> {
        let number = self.chunks.len() as u32;
        if number >= self.meta.chunks {
            return Err(unfit(Unfit::TooManyChunks(self.meta.chunks)));
        }
        if chunk.len() > CHUNK_BYTES_MAX {
            let bytes = chunk.len();
            return Err(unfit(ChunkTooLarge { number, bytes }.into()));
        }
        let index = self.meta.index;
        let staged = Slow::Stage {
            index,
            number,
            chunk: chunk.clone(),
        };
        stage(disk, staged).map_err(|Closed| unfit(Unfit::Stopping))?;
        self.chunks.push(chunk);
        Ok(())
    }

    fn check_count(&self) -> Result<(), FetchError> {
        let (came, announced) = (self.chunks.len() as u32, self.meta.chunks);
        match came == announced {
            true => Ok(()),
            false => Err(unfit(Unfit::ChunksMissing { came, announced })),
        }
    }

    fn check_sum(&self) -> Result<(), FetchError> {
        let append = |sum, chunk: &Bytes| crc32c::crc32c_append(sum, chunk);
        match self.chunks.iter().fold(0, append) == self.meta.crc {
            true => Ok(()),
            false => Err(unfit(Unfit::Checksum)),
        }
    }
}

fn unfit(unfit: Unfit) -> FetchError {
    FetchError(Box::new(unfit))
}

#[cfg(all(test, feature = "testkit"))]
mod tests;
