//! Making snapshots and, in `fetch`, fetching them, off the raft thread. Chunks reach the disk through the log thread, in its gaps.
//!
//! These threads hold the disk only while they hand a chunk over: one that is stuck in its source or in a long encoding must
//! neither keep the store open after the replica has stopped nor hold its stopping up.

mod fetch;

pub(crate) use fetch::{Fetcher, fetch};

use super::inside::Inside;
use super::log_thread::{Closed, Disk, Slow};
use crate::log_store::{Error, LogStore, SnapshotMeta};
use crate::replica::output::Freeze;
use crate::state_machine::{CHUNK_BYTES_MAX, StateMachine};
use std::io;
use std::sync::{Arc, Weak};
use std::thread::Builder;
use std::time::Instant;

/// Added to the thread's nice value, which on Linux is each thread's own.
const NICE: i32 = 10;

#[derive(Debug, thiserror::Error)]
#[error("chunk {number} has {bytes} bytes, more than {CHUNK_BYTES_MAX}")]
struct ChunkTooLarge {
    number: u32,
    bytes: usize,
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
    let begun = Instant::now();
    let mut checksum = 0;
    let mut chunks = 0;
    for chunk in M::encode(image) {
        if chunk.len() > CHUNK_BYTES_MAX {
            let unfit = ChunkTooLarge {
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
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    stage(disk, Slow::Tell(Inside::SnapshotTaken { meta, micros }))
}
