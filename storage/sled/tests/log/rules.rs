//! The log's rules one by one.

use super::{entry, meta, open};
use berth_raft::log_store::{Batch, InstallSnapshot, LogStore};
use berth_store::SledLog;
use std::error::Error as _;
use std::fs;
use std::path::Path;

fn fresh(path: &Path) -> SledLog {
    SledLog::create(path).unwrap();
    let mut log = open(path);
    log.load().unwrap();
    log
}

fn entries(range: std::ops::RangeInclusive<u64>, term: u64, bytes: usize) -> Batch {
    Batch {
        entries: range.map(|index| entry(index, term, bytes)).collect(),
        must_sync: true,
        ..Batch::default()
    }
}

fn cause(error: berth_raft::log_store::Error) -> String {
    error.source().unwrap().to_string()
}

#[test]
fn an_entry_larger_than_a_value_comes_back_whole() {
    // An entry is split over as many values as it needs; its neighbours do not mind.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = fresh(&path);
    let mut batch = entries(1..=2, 1, 100);
    batch.entries.push(entry(3, 1, 5 << 20));
    batch.entries.push(entry(4, 1, 100));
    log.write(&batch).unwrap();
    drop(log);
    assert_eq!(open(&path).load().unwrap().entries, batch.entries);
}

#[test]
fn no_page_is_ever_stored_where_it_is_not_synced() {
    // Pitfall S6: sled moves a page above a quarter of its segment into a file that it never syncs. Ours never does that, with values
    // of any size; sled's default segment does it with the very same values, so the check would notice.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = fresh(&path);
    for first in (1..400).step_by(4) {
        log.write(&entries(first..=first + 3, 1, 50_000)).unwrap();
    }
    assert_eq!(fs::read_dir(path.join("blobs")).unwrap().count(), 0);

    let path = directory.path().join("defaults");
    let database = sled::Config::new().path(&path).open().unwrap();
    for key in 0..40u64 {
        database.insert(key.to_be_bytes(), vec![7; 50_000]).unwrap();
    }
    assert!(fs::read_dir(path.join("blobs")).unwrap().count() > 0);
}

#[test]
fn a_page_stored_elsewhere_stops_the_store() {
    // Should sled ever put a page into its unsynced directory after all, nothing is acknowledged any more.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = fresh(&path);
    log.write(&entries(1..=1, 1, 10)).unwrap();
    fs::write(path.join("blobs/1"), b"a page").unwrap();
    let error = log.write(&entries(2..=2, 1, 10)).unwrap_err();
    assert!(cause(error).contains("outside its file"));
}

#[test]
fn a_gap_is_refused_and_ends_the_store() {
    // An append that would leave a hole is an error, and after an error nothing works any more.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = fresh(&path);
    log.write(&entries(1..=5, 1, 10)).unwrap();
    let error = log.write(&entries(7..=8, 1, 10)).unwrap_err();
    assert_eq!(
        cause(error),
        "refused to write entries from 7; the log has 1 to 5"
    );
    let error = log.write(&entries(6..=6, 1, 10)).unwrap_err();
    assert!(cause(error).contains("stopped after an earlier error"));
    assert!(log.load().is_err());
    drop(log);
    assert_eq!(open(&path).load().unwrap().entries.len(), 5);
}

#[test]
fn entries_below_the_floor_are_refused() {
    // What was compacted is committed; nobody may write it again.
    let directory = tempfile::tempdir().unwrap();
    let mut log = fresh(&directory.path().join("log"));
    log.write(&entries(1..=9, 1, 10)).unwrap();
    log.write(&Batch {
        compact_to: Some((5, 1)),
        ..Batch::default()
    })
    .unwrap();
    assert!(log.write(&entries(5..=6, 2, 10)).is_err());
}

#[test]
fn a_snapshot_that_is_not_whole_is_not_installed() {
    // Neither a missing chunk nor a wrong checksum becomes the newest snapshot.
    let directory = tempfile::tempdir().unwrap();
    let chunks = [vec![1; 50_000], vec![2; 100]];
    for broken in ["missing", "wrong"] {
        let path = directory.path().join(broken);
        let mut log = fresh(&path);
        log.stage_chunk(10, 0, &chunks[0]).unwrap();
        if broken == "wrong" {
            log.stage_chunk(10, 1, b"something else").unwrap();
        }
        let install = InstallSnapshot {
            meta: meta(10, 1, &chunks),
            reset_log: true,
        };
        let batch = Batch {
            snapshot: Some(install),
            must_sync: true,
            ..Batch::default()
        };
        assert!(log.write(&batch).is_err());
        drop(log);
        assert_eq!(open(&path).load().unwrap().snapshot, None);
    }
}

#[test]
fn a_snapshot_may_be_staged_again_over_an_installed_one_of_its_index() {
    // A leader's snapshot at the index of our own leaves ours readable until it is installed itself.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = fresh(&path);
    for (content, fill) in [(1u8, 3000), (2u8, 700)] {
        let chunks = [vec![content; fill], vec![content; 20]];
        for (number, chunk) in chunks.iter().enumerate() {
            log.stage_chunk(10, number as u32, chunk).unwrap();
            if content == 2 {
                assert_eq!(log.read_chunk(10, 0).unwrap()[0], 1);
            }
        }
        let install = InstallSnapshot {
            meta: meta(10, 1, &chunks),
            reset_log: true,
        };
        log.write(&Batch {
            snapshot: Some(install),
            must_sync: true,
            ..Batch::default()
        })
        .unwrap();
        assert_eq!(log.read_chunk(10, 0).unwrap(), chunks[0]);
    }
    assert!(log.read_chunk(10, 2).is_err());
    drop(log);
    let mut log = open(&path);
    log.load().unwrap();
    assert_eq!(log.read_chunk(10, 1).unwrap(), vec![2; 20]);
}

#[test]
fn what_is_staged_outlives_an_older_installation() {
    // A fetch that was cut off goes on although another snapshot, an older one, was installed meanwhile.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = fresh(&path);
    let fetched = [vec![3; 50_000], vec![4; 100]];
    log.stage_chunk(20, 0, &fetched[0]).unwrap();
    let own = [vec![1; 3_000]];
    log.stage_chunk(10, 0, &own[0]).unwrap();
    let install = |log: &mut SledLog, meta| {
        let snapshot = Some(InstallSnapshot {
            meta,
            reset_log: true,
        });
        let batch = Batch {
            snapshot,
            must_sync: true,
            ..Batch::default()
        };
        log.write(&batch)
    };
    install(&mut log, meta(10, 1, &own)).unwrap();
    log.stage_chunk(20, 1, &fetched[1]).unwrap();
    install(&mut log, meta(20, 1, &fetched)).unwrap();
    assert_eq!(log.read_chunk(20, 0).unwrap(), fetched[0]);
    // The control: what was staged below an installed one is gone, and a fetch of it cannot be completed.
    log.stage_chunk(25, 0, &fetched[0]).unwrap();
    log.stage_chunk(30, 0, &own[0]).unwrap();
    install(&mut log, meta(30, 1, &own)).unwrap();
    log.stage_chunk(25, 1, &fetched[1]).unwrap();
    assert!(install(&mut log, meta(25, 1, &fetched)).is_err());
}

#[test]
fn compaction_removes_what_it_gave_up_a_little_at_a_time() {
    // Old chunks and old snapshots leave the disk within a bounded number of later writes, and no write removes all of them.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = fresh(&path);
    for index in 1..=300 {
        log.write(&entries(index..=index, 1, 10)).unwrap();
    }
    log.write(&Batch {
        compact_to: Some((290, 1)),
        must_sync: true,
        ..Batch::default()
    })
    .unwrap();
    for _ in 0..3 {
        log.write(&Batch::default()).unwrap();
    }
    drop(log);
    let stored = stored_chunks(&path);
    assert!((201..300).contains(&stored), "{stored} left");
    let mut log = open(&path);
    assert_eq!(log.load().unwrap().entries.len(), 10);
    for _ in 0..30 {
        log.write(&Batch::default()).unwrap();
    }
    drop(log);
    // A handful is not worth a write of its own.
    let stored = stored_chunks(&path);
    assert!((10..26).contains(&stored), "{stored} left");
}

fn stored_chunks(path: &Path) -> usize {
    let config = sled::Config::new().path(path).segment_size(8 << 20);
    super::patiently(|| config.open()).scan_prefix(b"l").count()
}

#[test]
fn nothing_is_written_before_the_log_was_loaded() {
    // Without having read the head a write would replace it.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    SledLog::create(&path).unwrap();
    assert!(open(&path).write(&Batch::default()).is_err());
}
