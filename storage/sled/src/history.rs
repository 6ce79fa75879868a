//! The history: records in revision order, compressed into immutable segments, found again by opaque posting keys.
//!
//! Knows nothing of what a record means: its body and its keys are bytes, its chain is 32 bytes to compare.
//! One thread writes ([`HistoryWriter`]), any thread reads ([`HistoryReader`]). `OVERVIEW.md` has the design.

mod compaction;
mod head;
mod import;
mod index;
mod merge;
mod open;
mod plan;
mod reader;
mod segment;
mod state;
mod writer;

use crate::Error;
use crate::database::{Database, DatabaseOptions};
use bytes::Bytes;
use std::path::Path;

pub use reader::HistoryReader;
pub use writer::HistoryWriter;

/// The longest posting key.
pub const KEY_BYTES_MAX: usize = 300;

/// The most records of one page.
pub const PAGE_RECORDS_MAX: usize = 10_000;

/// A page ends once its bodies reach this, so that nobody can ask for all memory.
pub const PAGE_BYTES_MAX: usize = 4 << 20;

/// One event group, as far as a store has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Gap-free, from 1.
    pub revision: u64,
    /// The raft index that made it; several records may share one. Never falls.
    pub index: u64,
    /// The replicated wall clock, in ms since 1970.
    pub wall_ms: u64,
    /// The hash chain's value after this record.
    pub chain: [u8; 32],
    /// What it is found by; at most [`KEY_BYTES_MAX`] bytes each. Kept as a set: sorted, without repeats.
    pub keys: Vec<Vec<u8>>,
    /// The record itself.
    pub body: Bytes,
}

/// How far the durable history reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Through {
    /// The newest durable revision; 0 = none.
    pub revision: u64,
    /// Every record of every raft index up to here is durable: the raft log may be compacted to it.
    pub index: u64,
    /// The chain's value after `revision`.
    pub chain: [u8; 32],
}

/// In which order a query answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By rising revision.
    OldestFirst,
    /// By falling revision.
    #[default]
    NewestFirst,
}

/// Which records, in which order, how many. All bounds are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// From this revision on.
    pub first_revision: u64,
    /// Up to this revision.
    pub last_revision: u64,
    /// From this wall time on, in ms.
    pub first_wall_ms: u64,
    /// Up to this wall time, in ms.
    pub last_wall_ms: u64,
    /// Oldest or newest first.
    pub order: Order,
    /// At most this many, and never more than [`PAGE_RECORDS_MAX`].
    pub limit: usize,
}

/// A query's answer, or its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What was found, in the order asked for.
    pub records: Vec<Record>,
    /// The revision from which to go on: the next query's `first_revision` (oldest first) or `last_revision` (newest first).
    pub next: Option<u64>,
}

/// Revisions this replica does not have (yet): see [`HistoryWriter::jump`] and [`HistoryWriter::import`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first missing revision.
    pub first: u64,
    /// The last missing revision.
    pub last: u64,
    /// The chain's value after `last`; what is imported must end in it.
    pub chain: [u8; 32],
}

/// Revisions that never were: whoever numbers the records skipped them. Nothing is missing there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Void {
    /// The first revision that never was.
    pub first: u64,
    /// The last.
    pub last: u64,
}

// === impl Query ===

impl Default for Query {
    /// Everything, newest first, a hundred at a time.
    fn default() -> Self {
        Self {
            first_revision: 0,
            last_revision: u64::MAX,
            first_wall_ms: 0,
            last_wall_ms: u64::MAX,
            order: Order::NewestFirst,
            limit: 100,
        }
    }
}

/// Makes an empty history, durable on return. [`crate::Directory`] does it for a replica.
///
/// # Errors
/// sled's own.
pub fn create(path: &Path) -> Result<(), Error> {
    Database::create(path, &head::Head::default().encode())
}

/// Opens a history that [`create`] made.
///
/// # Errors
/// `Damaged`, or sled's own.
pub fn open(
    path: &Path,
    options: DatabaseOptions,
) -> Result<(HistoryWriter, HistoryReader), Error> {
    open::open(path, options)
}
