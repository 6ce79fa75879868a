use super::super::{HistoryReader, Query, Record, create, index, open};
use super::*;
use crate::DatabaseOptions;
use bytes::Bytes;
use std::path::Path;

#[test]
fn a_run_that_is_merged_stays_readable_for_who_holds_it() {
    // A reader that took the runs before a merge finds everything in them; their blocks go once it is done.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    create(&path).unwrap();
    let (mut writer, _reader) = open(&path, DatabaseOptions::default()).unwrap();
    for revision in 1..=16 * 7 {
        writer.append(vec![record(revision)]).unwrap();
        writer.commit().unwrap();
    }
    let held = writer.shared.state().runs.clone();
    assert_eq!(held.len(), 7);
    for revision in 16 * 7 + 1..=16 * 8 {
        writer.append(vec![record(revision)]).unwrap();
        writer.commit().unwrap();
    }
    while writer.upkeep().unwrap() {}
    assert_eq!(writer.shared.state().runs.len(), 1);
    let mut found = Vec::new();
    for run in &held {
        let hash = index::hash(b"key");
        run.find(&writer.shared.database, hash, &mut found).unwrap();
    }
    assert_eq!(found.len(), 16 * 7);
    assert_eq!(writer.head.doomed.len(), 7);
    drop(held);
    while writer.upkeep().unwrap() {}
    assert_eq!(writer.head.doomed, []);
}

#[test]
fn a_merge_takes_bounded_slices_and_hides_nothing() {
    // No call merges more than its slice, and between two slices everything is found.
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, reader) = with_a_large_merge_due(directory.path());
    let mut slices = 0;
    while writer.head.doomed.is_empty() {
        let before = writer.merge.as_ref().map(Merge::blocks_left);
        assert!(writer.upkeep().unwrap());
        let after = writer.merge.as_ref().map_or(0, Merge::blocks_left);
        if let Some(before) = before {
            assert!(before - after <= SLICE_BLOCKS.max(before / SLICE_PARTS));
        }
        assert_everything_is_found(&reader);
        slices += 1;
    }
    assert!(
        slices > 4,
        "{slices} slices: the merge is too small to show anything"
    );
    while writer.upkeep().unwrap() {}
    assert_everything_is_found(&reader);
    let kinds = writer
        .shared
        .state()
        .runs
        .iter()
        .map(|run| run.meta.level)
        .collect::<Vec<_>>();
    assert_eq!(kinds, [1]);
}

#[test]
fn an_unfinished_merge_leaves_nothing_behind() {
    // A process that ends in mid-merge leaves blocks that no run names; the next one removes them and merges again.
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, reader) = with_a_large_merge_due(directory.path());
    for _ in 0..3 {
        assert!(writer.upkeep().unwrap());
    }
    let merging = writer.head.merging;
    assert!(writer.merge.is_some());
    // Without this the rest would show nothing.
    assert!(blocks_stored(&writer, merging) > 0);
    writer.shared.database.commit(writer.head.sequence).unwrap();
    drop((writer, reader));
    let path = directory.path().join("history");
    let (mut writer, reader) = open(&path, DatabaseOptions::default()).unwrap();
    assert_eq!(blocks_stored(&writer, merging), 0);
    assert_everything_is_found(&reader);
    while writer.upkeep().unwrap() {}
    assert_eq!(writer.shared.state().runs.len(), 1);
    assert_everything_is_found(&reader);
}

fn with_a_large_merge_due(directory: &Path) -> (HistoryWriter, HistoryReader) {
    let path = directory.join("history");
    create(&path).unwrap();
    let (mut writer, reader) = open(&path, DatabaseOptions::default()).unwrap();
    for revision in 1..=16 * 8 {
        writer.append(vec![with_many_keys(revision)]).unwrap();
        writer.commit().unwrap();
    }
    assert!(writer.head.doomed.is_empty());
    (writer, reader)
}

fn assert_everything_is_found(reader: &HistoryReader) {
    for revision in [1, 64, 128] {
        let key = key(revision, 77);
        let page = reader.by_key(&key, &Query::default()).unwrap();
        let found: Vec<u64> = page.records.iter().map(|record| record.revision).collect();
        assert_eq!(found, [revision]);
    }
}

fn blocks_stored(writer: &HistoryWriter, run: u64) -> usize {
    let [(first, end), _] = index::keys_of(run);
    writer.shared.database.keys(&first, &end).unwrap().len()
}

/// So many that a run of sixteen has dozens of blocks.
fn with_many_keys(revision: u64) -> Record {
    Record {
        keys: (0..2_000).map(|number| key(revision, number)).collect(),
        ..record(revision)
    }
}

fn key(revision: u64, number: u64) -> Vec<u8> {
    [revision.to_be_bytes(), number.to_be_bytes()].concat()
}

/// Large enough to be a segment by itself.
fn record(revision: u64) -> Record {
    Record {
        revision,
        index: revision,
        wall_ms: revision,
        chain: [1; 32],
        keys: vec![b"key".to_vec()],
        body: Bytes::from(vec![1; 70_000]),
    }
}
