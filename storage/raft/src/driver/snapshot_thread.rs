//! Making and fetching snapshots, off the raft thread. Chunks reach the disk through the log thread, in its gaps.
//!
//! These threads hold the disk only while they hand a chunk over: one that is stuck in its source or in a long encoding must
//! neither keep the store open after the replica has stopped nor hold its stopping up.

use super::inside::Inside;
use super::log_thread::{Closed, Disk, Slow};
use super::source::{FetchError, SnapshotSource};
use crate::log_store::{Error, LogStore, SnapshotMeta};
use crate::replica::output::Freeze;
use crate::state_machine::{CHUNK_BYTES_MAX, StateMachine};
use bytes::Bytes;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::Builder;

/// Added to the thread's nice value, which on Linux is each thread's own.
const NICE: i32 = 10;

#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("chunk {number} has {bytes} bytes, more than {CHUNK_BYTES_MAX}")]
    ChunkTooLarge { number: u32, bytes: usize },
    #[error("more chunks came than the {0} announced")]
    TooManyChunks(u32),
    #[error("{came} of {announced} chunks came")]
    ChunksMissing { came: u32, announced: u32 },
    #[error("the checksum is wrong")]
    Checksum,
    #[error("the replica is stopping")]
    Stopping,
}

/// Encodes an image and stages it.
pub(crate) fn take<M: StateMachine, S: LogStore>(
    disk: Arc<Disk<M, S>>,
    freeze: Freeze<M>,
) -> io::Result<()> {
    let disk = Arc::downgrade(&disk);
    let work = move || {
        // Closed means that the driver ends; nobody waits for the snapshot then.
        if let Err(Closed) = encode(&disk, freeze) {
            tracing::debug!("a snapshot was given up: the replica stops");
        }
    };
    Builder::new()
        .name("berth-snapshot".to_owned())
        .spawn(move || {
            give_way();
            work();
        })
        .map(drop)
}

/// A snapshot is seconds of work that nobody waits for: those that an answer waits for go first.
fn give_way() {
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the snapshot's thread keeps its priority");
    }
}

/// Waits in the queue of a disk that still runs.
fn stage<M: StateMachine, S: LogStore>(disk: &Weak<Disk<M, S>>, slow: Slow) -> Result<(), Closed> {
    disk.upgrade().ok_or(Closed)?.stage(slow)
}

fn encode<M: StateMachine, S: LogStore>(
    disk: &Weak<Disk<M, S>>,
    freeze: Freeze<M>,
) -> Result<(), Closed> {
    let Freeze {
        image,
        index,
        term,
        membership,
    } = freeze;
    let mut checksum = 0;
    let mut chunks = 0;
    for chunk in M::encode(image) {
        if chunk.len() > CHUNK_BYTES_MAX {
            let unfit = Unfit::ChunkTooLarge {
                number: chunks,
                bytes: chunk.len(),
            };
            let error = Error {
                doing: "encode a snapshot",
                source: Box::new(unfit),
            };
            return stage(disk, Slow::Tell(Inside::StoreFailed(error)));
        }
        checksum = crc32c::crc32c_append(checksum, &chunk);
        let chunk = Slow::Stage {
            index,
            number: chunks,
            chunk: chunk.into(),
        };
        stage(disk, chunk)?;
        chunks += 1;
    }
    let meta = SnapshotMeta {
        index,
        term,
        membership,
        chunks,
        crc: checksum,
    };
    stage(disk, Slow::Tell(Inside::SnapshotTaken(meta)))
}

/// Fetches a snapshot, checks it and stages it.
pub(crate) fn fetch<M: StateMachine, S: LogStore>(
    disk: Arc<Disk<M, S>>,
    source: Arc<Mutex<Box<dyn SnapshotSource>>>,
    from: u64,
    meta: SnapshotMeta,
) -> io::Result<()> {
    let disk = Arc::downgrade(&disk);
    let work = move || {
        let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
        let index = meta.index;
        let inside = match collect(&disk, source.as_mut(), from, &meta) {
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

fn collect<M: StateMachine, S: LogStore>(
    disk: &Weak<Disk<M, S>>,
    source: &mut dyn SnapshotSource,
    from: u64,
    meta: &SnapshotMeta,
) -> Result<Vec<Bytes>, FetchError> {
    let mut chunks: Vec<Bytes> = Vec::new();
    let mut checksum = 0;
    source.fetch(from, meta, &mut |chunk| {
        let number = chunks.len() as u32;
        if number >= meta.chunks {
            return Err(unfit(Unfit::TooManyChunks(meta.chunks)));
        }
        if chunk.len() > CHUNK_BYTES_MAX {
            return Err(unfit(Unfit::ChunkTooLarge {
                number,
                bytes: chunk.len(),
            }));
        }
        checksum = crc32c::crc32c_append(checksum, &chunk);
        chunks.push(chunk.clone());
        let chunk = Slow::Stage {
            index: meta.index,
            number,
            chunk,
        };
        stage(disk, chunk).map_err(|Closed| unfit(Unfit::Stopping))
    })?;
    let came = chunks.len() as u32;
    if came != meta.chunks {
        return Err(unfit(Unfit::ChunksMissing {
            came,
            announced: meta.chunks,
        }));
    }
    if checksum != meta.crc {
        return Err(unfit(Unfit::Checksum));
    }
    Ok(chunks)
}

fn unfit(unfit: Unfit) -> FetchError {
    FetchError(Box::new(unfit))
}
