//! What sled's own threads only log must stop the store. In a process of its own: a process has one logger and one first fault.

#![allow(clippy::unwrap_used)] // in a test an unwrap is the failure

use berth_raft::log_store::{Batch, LogStore};
use berth_store::{DatabaseOptions, SledLog, background};
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};

static FORWARDED: AtomicUsize = AtomicUsize::new(0);

struct Counter;

// === impl Counter ===

impl log::Log for Counter {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &log::Record<'_>) {
        FORWARDED.fetch_add(1, Ordering::Relaxed);
    }

    fn flush(&self) {}
}

#[test]
fn an_error_of_sleds_own_threads_stops_every_store() {
    // Pitfall S3: sled's flusher reports a failed write or sync only to the log; after that nothing is acknowledged any more.
    background::install(Some(Box::new(Counter))).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    SledLog::create(&path).unwrap();
    let mut store = SledLog::open(&path, DatabaseOptions::default()).unwrap();
    store.load().unwrap();
    let batch = Batch {
        must_sync: true,
        ..Batch::default()
    };

    // The controls: other people's errors, sled's warnings and its remarks on settings change nothing.
    log::error!(target: "somebody_else", "not our disk");
    log::warn!(target: "sled::flusher", "only a warning");
    log::error!(target: "sled::config", "cache capacity is limited to the cgroup memory limit");
    store.write(&batch).unwrap();
    assert_eq!(background::fault(), None);

    log::error!(target: "sled::flusher", "failed to fsync from periodic flush thread: {}", "EIO");
    let error = store.write(&batch).unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert!(
        cause.contains("failed to fsync from periodic flush thread: EIO"),
        "{cause}"
    );
    assert_eq!(FORWARDED.load(Ordering::Relaxed), 4);
    assert!(background::install(None).is_err());
}
