//! The history: against a naive model, by hand, and while readers and the writer work at once.

#![allow(clippy::unwrap_used)] // in a test an unwrap is the failure

mod concurrent;
mod differential;
mod rules;

use berth_store::DatabaseOptions;
use berth_store::history::{HistoryReader, HistoryWriter, Record, create, open};
use bytes::Bytes;
use std::path::Path;

fn open_at(path: &Path) -> (HistoryWriter, HistoryReader) {
    open(path, DatabaseOptions::default()).unwrap()
}

fn fresh(path: &Path) -> (HistoryWriter, HistoryReader) {
    create(path).unwrap();
    open_at(path)
}

/// The record of a revision: always the same, with keys that many, few and one record have.
fn record(revision: u64, bytes: usize) -> Record {
    let keys = [
        "all".to_owned(),
        format!("ip/{}", revision % 5),
        format!("node/{}", revision / 40),
        format!("pod/{revision}"),
    ];
    let mut chain = [0; 32];
    chain[..8].copy_from_slice(&revision.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    chain[31] = 1;
    Record {
        revision,
        index: revision / 3 + 1,
        wall_ms: 1000 + revision / 4 * 10,
        chain,
        keys: keys.into_iter().map(String::into_bytes).collect(),
        body: Bytes::from(vec![revision as u8; bytes]),
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
