//! What the store does while the disk records, and what must be true of whatever is left of it.

use super::disk::{Acknowledged, RecordingDisk};
use berth_raft::log_store::{Batch, Entry, HardState, LogStore};
use berth_store::DatabaseOptions;
use berth_store::directory::{Directory, Found, Options};
use berth_store::history::{Order, Query, Record};
use bytes::Bytes;
use std::path::Path;

/// Log writes; each is acknowledged by itself.
const WRITES: u64 = 300;
/// Entries kept in the log.
const KEPT: u64 = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    Kept,
    /// sled's flush alone.
    Missing,
}

pub fn options(barrier: Barrier) -> Options {
    let database = match barrier {
        Barrier::Kept => DatabaseOptions::default(),
        Barrier::Missing => DatabaseOptions::broken_without_barrier(),
    };
    Options {
        ballast_bytes: 0,
        watermark_bytes: 0,
        database,
    }
}

pub fn run(disk: &RecordingDisk, barrier: Barrier) {
    let path = disk.path().join("data");
    let directory = Directory::create(&path, "cluster", 7, options(barrier)).unwrap();
    disk.acknowledge(Acknowledged::Created);
    let mut log = directory.log().unwrap();
    let (mut history, _) = directory.history().unwrap();
    log.load().unwrap();
    let mut last = 0;
    for term in 1..=WRITES {
        let batch = batch(last, term);
        last = batch.entries.last().unwrap().index;
        log.write(&batch).unwrap();
        disk.acknowledge(Acknowledged::Log { term });
        let revision = history.through().revision + 1;
        history
            .append((revision..revision + term % 9 + 1).map(record).collect())
            .unwrap();
        let through = history.commit().unwrap();
        disk.acknowledge(Acknowledged::History {
            revision: through.revision,
        });
    }
}

/// Groups of changing size, some larger than one value, now and then over the end of the previous one.
fn batch(last: u64, term: u64) -> Batch {
    let back = if term % 7 == 3 { last.min(2) } else { 0 };
    let first = last + 1 - back;
    let floor = first.saturating_sub(KEPT);
    Batch {
        entries: (first..=first + term % 6)
            .map(|index| entry(index, term))
            .collect(),
        hard_state: Some(HardState {
            term,
            vote: 7,
            commit: floor,
        }),
        compact_to: (floor > 0).then_some((floor, 1)),
        must_sync: true,
        ..Batch::default()
    }
}

fn entry(index: u64, term: u64) -> Entry {
    let bytes = if index.is_multiple_of(50) {
        70_000
    } else {
        100 + (index % 700) as usize
    };
    Entry {
        index,
        term,
        kind: 0,
        data: Bytes::from(vec![(index ^ term) as u8; bytes]),
        context: Bytes::new(),
    }
}

fn record(revision: u64) -> Record {
    Record {
        revision,
        index: revision,
        wall_ms: revision,
        chain: [revision as u8; 32],
        keys: vec![format!("ip/{}", revision % 10).into_bytes()],
        body: Bytes::from(vec![revision as u8; 700]),
    }
}

/// What is wrong with a store after a cut before which `acknowledged` was promised; `None` if nothing is.
pub fn complaint(path: &Path, acknowledged: &[Acknowledged]) -> Option<String> {
    let created = acknowledged.contains(&Acknowledged::Created);
    match Directory::inspect(path) {
        Ok(Found::Store(_)) => examine(path, acknowledged).err(),
        Ok(Found::Absent | Found::Unfinished) if !created => None,
        Ok(found) => Some(format!("the store is {found:?}")),
        Err(error) => Some(error.to_string()),
    }
}

fn examine(path: &Path, acknowledged: &[Acknowledged]) -> Result<(), String> {
    let text = |error: &dyn std::error::Error| format!("{error}: {:?}", error.source());
    let directory = Directory::open(path, options(Barrier::Kept)).map_err(|error| text(&error))?;
    let mut log = directory.log().map_err(|error| text(&error))?;
    let loaded = log.load().map_err(|error| text(&error))?;
    let (writer, reader) = directory.history().map_err(|error| text(&error))?;
    for promised in acknowledged {
        let lost = match promised {
            Acknowledged::Log { term } => loaded.hard_state.term < *term,
            Acknowledged::History { revision } => writer.through().revision < *revision,
            Acknowledged::Formatted | Acknowledged::Created => false,
        };
        if lost {
            return Err(format!("{promised:?} is lost"));
        }
    }
    let term = loaded.hard_state.term;
    if loaded
        .entries
        .iter()
        .any(|stored| *stored != entry(stored.index, stored.term))
    {
        return Err("a log entry has other bytes".into());
    }
    let newest = loaded
        .entries
        .iter()
        .filter(|entry| entry.term == term)
        .count() as u64;
    if term > 0 && newest != term % 6 + 1 {
        return Err(format!("write {term} is there with {newest} entries only"));
    }
    let everything = Query {
        order: Order::OldestFirst,
        limit: 10_000,
        ..Query::default()
    };
    let stored = reader
        .range(&everything)
        .map_err(|error| text(&error))?
        .records;
    let expected: Vec<_> = (1..=writer.through().revision).map(record).collect();
    if stored != expected {
        return Err("the history has other records".into());
    }
    Ok(())
}
