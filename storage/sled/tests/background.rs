//! What sled's own threads only log must stop the store. In a process of its own: a process has one logger and one first fault.

#![allow(clippy::unwrap_used)] // in a test an unwrap is the failure

use berth_raft::log_store::{Batch, LogStore};
use berth_store::{DatabaseOptions, SledLog, background};
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static FORWARDED: AtomicUsize = AtomicUsize::new(0);

/// Counts events.
struct Counter;

// === impl Counter ===

impl Subscriber for Counter {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        FORWARDED.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn an_error_of_sleds_own_threads_stops_every_store() {
    // Pitfall S3: sled's flusher reports a failed write or sync only to the log; after that nothing is acknowledged any more.
    tracing::subscriber::set_global_default(Counter).unwrap();
    background::install().unwrap();
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
    assert!(background::install().is_err());
}
