//! The raft log on sled: what it promises, against the one in memory, by hand, and under `kill -9`.

#![allow(clippy::unwrap_used)] // in a test an unwrap is the failure

mod differential;
mod kill;
mod rules;

use berth_raft::log_store::{Entry, SnapshotMeta};
use berth_store::{DatabaseOptions, SledLog};
use bytes::Bytes;
use std::path::Path;

fn open(path: &Path) -> SledLog {
    SledLog::open(path, DatabaseOptions::default()).unwrap()
}

fn entry(index: u64, term: u64, bytes: usize) -> Entry {
    Entry {
        index,
        term,
        kind: (index % 3) as u8,
        data: Bytes::from(vec![(index * 31 + term) as u8; bytes]),
        context: Bytes::from(vec![index as u8; bytes % 5]),
    }
}

fn meta(index: u64, term: u64, chunks: &[Vec<u8>]) -> SnapshotMeta {
    SnapshotMeta {
        index,
        term,
        chunks: chunks.len() as u32,
        crc: crc32c::crc32c(&chunks.concat()),
        ..SnapshotMeta::default()
    }
}

/// sled's worker threads give its lock back a moment after a database was dropped.
fn patiently(open: impl Fn() -> sled::Result<sled::Db>) -> sled::Db {
    let begun = std::time::Instant::now();
    loop {
        match open() {
            Err(sled::Error::Io(_)) if begun.elapsed().as_secs() < 20 => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}
