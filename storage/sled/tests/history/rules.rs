//! The history's rules one by one.

use super::{fresh, open_at, record};
use berth_store::Error;
use berth_store::history::{HistoryWriter, Query, Through, Void};
use std::path::Path;

fn append(writer: &mut HistoryWriter, revisions: std::ops::RangeInclusive<u64>) {
    writer
        .append(revisions.map(|revision| record(revision, 200)).collect())
        .unwrap();
}

fn refusal<R: std::fmt::Debug>(result: Result<R, Error>) -> String {
    result.unwrap_err().to_string()
}

fn everything() -> Query {
    Query {
        limit: 10_000,
        ..Query::default()
    }
}

#[test]
fn nothing_is_seen_before_it_is_durable() {
    // Readers see committed records only, and a restart forgets the others.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    let (mut writer, reader) = fresh(&path);
    append(&mut writer, 1..=5);
    assert_eq!(reader.range(&everything()).unwrap().records, []);
    writer.commit().unwrap();
    append(&mut writer, 6..=7);
    assert_eq!(reader.range(&everything()).unwrap().records.len(), 5);
    drop((writer, reader));
    assert_eq!(open_at(&path).0.through().revision, 5);
}

#[test]
fn the_raft_index_is_through_only_when_all_of_it_is() {
    // An index may have made several records; it counts only once somebody said that it made no more.
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, _) = fresh(&directory.path().join("history"));
    append(&mut writer, 1..=4);
    let index = record(4, 0).index;
    assert_eq!(writer.commit().unwrap().index, index - 1);
    writer.reach(index);
    assert_eq!(writer.commit().unwrap().index, index);
    // Entries without events move it as well.
    writer.reach(index + 10);
    let through = writer.commit().unwrap();
    assert_eq!((through.revision, through.index), (4, index + 10));
}

#[test]
fn a_replay_with_another_hash_stops_the_store() {
    // The same revision with another chain value means that this replica applied something else: it must not go on.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    let (mut writer, reader) = fresh(&path);
    append(&mut writer, 1..=9);
    writer.commit().unwrap();
    drop((writer, reader));
    let (mut writer, _) = open_at(&path);
    append(&mut writer, 3..=9);
    let mut other = record(4, 200);
    other.chain[0] ^= 1;
    assert!(
        refusal(writer.append(vec![other])).contains("revision 4 was made again with another hash")
    );
    assert!(refusal(writer.commit()).contains("stopped after an earlier error"));
}

#[test]
fn a_gap_is_refused() {
    // A revision that does not follow would be a hole nobody ever fills.
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, _) = fresh(&directory.path().join("history"));
    append(&mut writer, 1..=2);
    assert!(refusal(writer.append(vec![record(4, 1)])).contains("whose next revision is 3"));
}

#[test]
fn a_key_that_is_too_long_is_refused() {
    // The limit is part of the promise, so it is checked, by name.
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, _) = fresh(&directory.path().join("history"));
    let mut long = record(1, 1);
    long.keys.push(vec![1; 301]);
    assert!(refusal(writer.append(vec![long])).contains("a posting key of 301 bytes"));
}

#[test]
fn an_import_must_join_the_chain() {
    // What is fetched from another replica ends in the hash that this replica's snapshot carried, or it is not taken.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    let (mut writer, reader) = fresh(&path);
    let last = record(50, 200);
    writer
        .jump(Through {
            revision: 50,
            index: last.index,
            chain: last.chain,
        })
        .unwrap();
    append(&mut writer, 51..=60);
    writer.commit().unwrap();
    let gap = reader.gaps()[0];
    assert_eq!((gap.first, gap.last), (1, 50));
    writer
        .import((1..=20).map(|revision| record(revision, 200)).collect())
        .unwrap();
    assert_eq!(reader.gaps()[0].first, 21);
    drop((writer, reader));

    // Goes on where it stopped, also after a restart.
    let (mut writer, reader) = open_at(&path);
    let mut rest: Vec<_> = (21..=50).map(|revision| record(revision, 200)).collect();
    writer.import(rest.clone()).unwrap();
    assert_eq!(reader.gaps(), []);
    assert_eq!(reader.range(&everything()).unwrap().records.len(), 60);

    let other = directory.path().join("other");
    let (mut writer, _) = fresh(&other);
    writer
        .jump(Through {
            revision: 50,
            index: last.index,
            chain: last.chain,
        })
        .unwrap();
    writer
        .import((1..=20).map(|revision| record(revision, 200)).collect())
        .unwrap();
    rest.last_mut().unwrap().chain[5] ^= 1;
    assert!(refusal(writer.import(rest)).contains("does not join at revision 50"));
}

#[test]
fn an_import_outside_a_gap_is_refused() {
    // Nobody writes over what is there.
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, _) = fresh(&directory.path().join("history"));
    append(&mut writer, 1..=9);
    writer.commit().unwrap();
    assert!(refusal(writer.import(vec![record(3, 1)])).contains("has no such gap"));
}

#[test]
fn many_tiny_commits_leave_few_keys() {
    // A record per commit does not leave a key per commit: neighbours are merged as they come.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    let (mut writer, reader) = fresh(&path);
    for revision in 1..=2000 {
        append(&mut writer, revision..=revision);
        writer.commit().unwrap();
    }
    assert_eq!(reader.range(&everything()).unwrap().records.len(), 2000);
    drop((writer, reader));
    let segments = stored(&path, b"g");
    assert!(segments < 60, "{segments} segments");
}

#[test]
fn retention_gives_room_back() {
    // What is below the floor is not found any more at once, and its segments and index runs leave the disk with later upkeep.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    let (mut writer, reader) = fresh(&path);
    for first in (1..=40_000).step_by(1000) {
        append(&mut writer, first..=first + 999);
        writer.commit().unwrap();
    }
    writer.drop_before(39_990).unwrap();
    assert_eq!(reader.range(&everything()).unwrap().records.len(), 11);
    assert_eq!(reader.by_key(b"pod/5", &everything()).unwrap().records, []);
    let mut calls = 0;
    while writer.upkeep().unwrap() {
        calls += 1;
        assert!(calls < 100);
    }
    drop((writer, reader));
    let (segments, blocks) = (stored(&path, b"g"), stored(&path, b"x"));
    assert!(
        segments < 5 && blocks == 0,
        "{segments} segments, {blocks} index blocks"
    );
    let (_writer, reader) = open_at(&path);
    assert_eq!(reader.floor(), 39_990);
    assert_eq!(reader.range(&everything()).unwrap().records.len(), 11);
}

#[test]
fn the_index_is_merged_and_still_finds_everything() {
    // Enough segments for runs of the second level: few runs remain, and a key of one record is found through them.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    let (mut writer, reader) = fresh(&path);
    let last = 16 * 8 * 9 * 2;
    for first in (1..=last).step_by(16) {
        writer
            .append(
                (first..first + 16)
                    .map(|revision| record(revision, 33_000))
                    .collect(),
            )
            .unwrap();
        writer.commit().unwrap();
    }
    while writer.upkeep().unwrap() {}
    for revision in (1..=last).step_by(97) {
        let page = reader
            .by_key(format!("pod/{revision}").as_bytes(), &everything())
            .unwrap();
        assert_eq!(page.records.len(), 1, "{revision}");
    }
    let page = reader.by_key(
        b"ip/3",
        &Query {
            limit: 10_000,
            last_revision: 500,
            ..Query::default()
        },
    );
    assert_eq!(page.unwrap().records.len(), 100);
    drop((writer, reader));
    let runs = stored(&path, b"f");
    assert!(runs < 10, "{runs} runs");
}

/// How many keys of a kind are on the disk.
fn stored(path: &Path, kind: &[u8]) -> usize {
    let config = sled::Config::new().path(path).segment_size(8 << 20);
    super::patiently(|| config.open()).scan_prefix(kind).count()
}

#[test]
fn revisions_that_never_were() {
    // A skip is no gap: nothing is missing there, neither in a query nor after a restart, and the chain joins across it.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    let (mut writer, reader) = fresh(&path);
    append(&mut writer, 1..=5);
    writer.commit().unwrap();
    append(&mut writer, 6..=7);
    assert!(refusal(writer.skip_to(1_000)).contains("a skip of the history"));
    drop((writer, reader));
    let (mut writer, reader) = open_at(&path);
    assert!(refusal(writer.skip_to(6)).contains("a skip of the history"));
    drop((writer, reader));

    let (mut writer, reader) = open_at(&path);
    writer.skip_to(1_000).unwrap();
    let through = writer.through();
    assert_eq!((through.revision, through.chain), (999, record(5, 1).chain));
    drop((writer, reader));

    // A crash between the skip and what follows it.
    let (mut writer, reader) = open_at(&path);
    append(&mut writer, 1_000..=1_020);
    writer.commit().unwrap();
    let found = reader.range(&everything()).unwrap().records;
    let revisions: Vec<u64> = found.iter().map(|record| record.revision).collect();
    let expected: Vec<u64> = (1..=5).chain(1_000..=1_020).rev().collect();
    assert_eq!(revisions, expected);
    assert_eq!(reader.gaps(), []);
    let void = Void {
        first: 6,
        last: 999,
    };
    assert_eq!(reader.voids(), [void]);
    assert_eq!(reader.record(500).unwrap(), None);
    drop((writer, reader));

    let (mut writer, reader) = open_at(&path);
    writer.drop_before(500).unwrap();
    assert_eq!(reader.voids()[0].first, 500);
    writer.drop_before(1_003).unwrap();
    assert_eq!(reader.voids(), []);
    drop((writer, reader));
    let (_, reader) = open_at(&path);
    assert_eq!(reader.range(&everything()).unwrap().records.len(), 18);
}

#[test]
fn a_gap_with_revisions_that_never_were() {
    // A replica that fetches a history with a skip in it comes to the same, in pieces and with restarts between them.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    let (mut writer, _) = fresh(&path);
    let last = record(1_010, 200);
    let place = Through {
        revision: 1_010,
        index: last.index,
        chain: last.chain,
    };
    writer.jump(place).unwrap();
    let records = |revisions: std::ops::RangeInclusive<u64>| {
        revisions.map(|revision| record(revision, 200)).collect()
    };
    writer.import(records(1..=5)).unwrap();
    drop(writer);
    for (first, next) in [(7, 1_000), (6, 1_011), (6, 6)] {
        let (mut writer, _) = open_at(&path);
        assert!(refusal(writer.import_void(first, next)).contains("no such gap"));
    }
    let (mut writer, _) = open_at(&path);
    writer.import_void(6, 1_000).unwrap();
    drop(writer);
    let (mut writer, reader) = open_at(&path);
    writer.import(records(1_000..=1_010)).unwrap();
    assert_eq!(reader.gaps(), []);
    drop((writer, reader));
    let (_, reader) = open_at(&path);
    assert_eq!(reader.range(&everything()).unwrap().records.len(), 16);
}
