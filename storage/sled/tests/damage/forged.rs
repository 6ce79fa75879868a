//! Lost and revived records: each by itself is sound, only together they do not fit. This is what a page that sled lost looks like.

use berth_raft::log_store::{Batch, Entry, LogStore};
use berth_store::directory::{Directory, Options};
use berth_store::history::{Query, Record};
use bytes::Bytes;
use std::path::Path;

fn options() -> Options {
    Options {
        ballast_bytes: 0,
        watermark_bytes: 0,
        ..Options::default()
    }
}

fn entries(first: u64, last: u64, term: u64) -> Batch {
    let entry = |index| Entry {
        index,
        term,
        kind: 0,
        data: Bytes::from_static(b"data"),
        context: Bytes::new(),
    };
    Batch {
        entries: (first..=last).map(entry).collect(),
        must_sync: true,
        ..Batch::default()
    }
}

fn write_log(path: &Path, batches: &[Batch]) {
    let mut log = Directory::open(path, options()).unwrap().log().unwrap();
    log.load().unwrap();
    for batch in batches {
        log.write(batch).unwrap();
    }
}

fn record(revision: u64, bytes: usize) -> Record {
    Record {
        revision,
        index: revision,
        wall_ms: revision,
        chain: [revision as u8; 32],
        keys: vec![b"key".to_vec()],
        body: Bytes::from(vec![1; bytes]),
    }
}

/// Commits one record at a time: small ones stay young, large ones become complete segments.
fn write_history(path: &Path, sizes: &[usize]) {
    let directory = Directory::open(path, options()).unwrap();
    let (mut history, _) = directory.history().unwrap();
    for size in sizes {
        let revision = history.through().revision + 1;
        history.append(vec![record(revision, *size)]).unwrap();
        history.commit().unwrap();
    }
}

fn read(path: &Path) -> Result<(), String> {
    let text = |error: &dyn std::error::Error| match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string(),
    };
    let directory = Directory::open(path, options()).map_err(|error| text(&error))?;
    let mut log = directory.log().map_err(|error| text(&error))?;
    log.load().map_err(|error| text(&error))?;
    let (_writer, reader) = directory.history().map_err(|error| text(&error))?;
    let everything = Query {
        limit: 1000,
        ..Query::default()
    };
    reader.range(&everything).map_err(|error| text(&error))?;
    reader
        .by_key(b"key", &everything)
        .map_err(|error| text(&error))?;
    Ok(())
}

/// Opens a stopped database behind the store's back.
fn raw(path: &Path) -> sled::Db {
    let config = sled::Config::new().path(path).segment_size(8 << 20);
    loop {
        match config.open() {
            // The lock of the store that was just closed may linger.
            Err(sled::Error::Io(_)) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// Takes one record away; the control is that the store was sound before.
fn refusal_without(path: &Path, database: &str, prefix: &[u8], newest: bool) -> String {
    read(path).unwrap();
    take_away(&raw(&path.join(database)), prefix, newest);
    read(path).unwrap_err()
}

fn take_away(database: &sled::Db, prefix: &[u8], newest: bool) {
    let mut keys = database.scan_prefix(prefix).keys();
    let key = if newest {
        keys.next_back()
    } else {
        keys.nth(1)
    };
    database.remove(key.unwrap().unwrap()).unwrap();
}

fn fresh(path: &Path) {
    drop(Directory::create(path, "cluster", 1, options()).unwrap());
}

#[test]
fn a_lost_log_record_is_missed() {
    // Neither a hole in the middle nor a lost end passes for a shorter log.
    let place = tempfile::tempdir().unwrap();
    for (newest, complaint) in [(false, "gap before"), (true, "was acknowledged")] {
        let path = place.path().join(newest.to_string());
        fresh(&path);
        write_log(
            &path,
            &[entries(1, 3, 1), entries(4, 6, 1), entries(7, 9, 1)],
        );
        let refusal = refusal_without(&path, "log", b"l", newest);
        assert!(refusal.contains(complaint), "{refusal}");
    }
}

#[test]
fn an_old_log_record_does_not_pass_for_the_new_one() {
    // A sound record that was overwritten later, of the same indexes, comes back: its neighbours do not know it.
    let place = tempfile::tempdir().unwrap();
    for after in [vec![], vec![entries(7, 9, 2)]] {
        let path = place.path().join(after.len().to_string());
        fresh(&path);
        write_log(&path, &[entries(1, 3, 1), entries(4, 6, 1)]);
        let database = raw(&path.join("log"));
        let (key, old) = database.scan_prefix(b"l").next_back().unwrap().unwrap();
        drop(database);
        write_log(&path, &[entries(4, 6, 2)]);
        write_log(&path, &after);
        read(&path).unwrap();
        raw(&path.join("log")).insert(key, old).unwrap();
        let refusal = read(&path).unwrap_err();
        let known = refusal.contains("gap before 7") || refusal.contains("does not end at 6");
        assert!(known, "{refusal}");
    }
}

#[test]
fn a_store_that_goes_back_in_time_is_refused() {
    // An older state that is sound in itself, as sled leaves it when the end of its file is damaged, is not accepted: more was acknowledged.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    fresh(&path);
    write_log(&path, &[entries(1, 3, 1)]);
    let older = place.path().join("older");
    copy(&path.join("log"), &older);
    write_log(&path, &[entries(4, 6, 1)]);
    read(&path).unwrap();
    std::fs::remove_dir_all(path.join("log")).unwrap();
    std::fs::rename(&older, path.join("log")).unwrap();
    let refusal = read(&path).unwrap_err();
    assert!(refusal.contains("was acknowledged"), "{refusal}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("blobs")).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn a_lost_history_record_is_missed() {
    // A segment without its header or its body, in the middle or at the end, is a hole and not a shorter history.
    let place = tempfile::tempdir().unwrap();
    for (prefix, newest) in [(b"g", false), (b"g", true), (b"b", false), (b"b", true)] {
        let path = place.path().join(format!("{}-{newest}", prefix[0]));
        fresh(&path);
        write_history(&path, &[40_000, 40_000, 40_000, 100]);
        let refusal = refusal_without(&path, "history", prefix, newest);
        assert!(refusal.contains("is damaged"), "{refusal}");
    }
}

#[test]
fn an_old_history_segment_does_not_pass_for_the_new_one() {
    // Young segments are merged under the first one's key: the smaller body from before the merge is not taken for it.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    fresh(&path);
    write_history(&path, &[100; 7]);
    let database = raw(&path.join("history"));
    let (key, old) = database.scan_prefix(b"b").next().unwrap().unwrap();
    drop(database);
    write_history(&path, &[100; 3]);
    read(&path).unwrap();
    raw(&path.join("history")).insert(key, old).unwrap();
    let refusal = read(&path).unwrap_err();
    assert!(refusal.contains("segment at 1 cannot be read"), "{refusal}");
}
