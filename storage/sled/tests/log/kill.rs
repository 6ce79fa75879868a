//! `kill -9` at any moment: whatever was acknowledged is there afterwards.

use super::{entry, open};
use berth_raft::log_store::{Batch, HardState, Loaded, LogStore};
use berth_store::SledLog;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Set for the child: where its log is.
const CHILD_LOG: &str = "BERTH_STORE_KILL_TEST_LOG";
const ROUNDS: usize = 25;

/// What the child appends in its n-th write: groups of changing size, now and then over the previous group's end.
fn batch(last: u64, round: u64) -> Batch {
    let back = if round % 7 == 3 { last.min(2) } else { 0 };
    let first = last + 1 - back;
    let entries = (first..=first + round % 5 + 2)
        .map(|index| entry(index, round, 200 + (index % 900) as usize));
    let floor = (first - 1).saturating_sub(40);
    Batch {
        entries: entries.collect(),
        hard_state: Some(HardState {
            term: round,
            vote: 1,
            commit: floor,
        }),
        compact_to: (floor > 0).then_some((floor, 1)),
        must_sync: true,
        ..Batch::default()
    }
}

fn last_index(loaded: &Loaded) -> u64 {
    loaded.truncated_index + loaded.entries.len() as u64
}

/// The child: writes and acknowledges until it is killed.
fn write_for_ever(path: &Path) {
    let mut log = open(path);
    let loaded = log.load().unwrap();
    let mut last = last_index(&loaded);
    for round in loaded.hard_state.term + 1.. {
        let batch = batch(last, round);
        last = batch.entries.last().unwrap().index;
        log.write(&batch).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {round} {last}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    // Kills a writing process again and again at changing moments; after each, every acknowledged write is there and none is half there.
    if let Some(path) = std::env::var_os(CHILD_LOG) {
        write_for_ever(Path::new(&path));
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    SledLog::create(&path).unwrap();
    let mut acknowledged_in_all = 0;
    for round in 0..ROUNDS {
        let (term, last) = kill_after(&path, 5 + 17 * round % 60);
        acknowledged_in_all += 1;
        let loaded = open(&path).load().unwrap();
        assert!(loaded.hard_state.term >= term, "write {term} is lost");
        check_content(&loaded);
        if loaded.hard_state.term == term {
            assert_eq!(last_index(&loaded), last);
        }
    }
    assert_eq!(acknowledged_in_all, ROUNDS);
}

/// Lets a child make so many acknowledged writes and kills it in the middle of what follows. Returns the last acknowledged one.
fn kill_after(path: &Path, writes: usize) -> (u64, u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "kill::nothing_acknowledged_is_lost_when_the_process_is_killed",
            "--nocapture",
        ])
        .env(CHILD_LOG, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = lines.map(Result::unwrap).filter_map(|line| parse(&line));
    let mut newest = acknowledged.by_ref().take(writes).last().unwrap();
    child.kill().unwrap();
    // What it still acknowledged before it died counts as well.
    if let Some(later) = acknowledged.last() {
        newest = later;
    }
    child.wait().unwrap();
    newest
}

fn parse(line: &str) -> Option<(u64, u64)> {
    // The test harness may have written before it on the same line.
    let (_, numbers) = line.split_once("acknowledged ")?;
    let (term, last) = numbers.split_once(' ')?;
    Some((term.parse().ok()?, last.parse().ok()?))
}

/// The newest write is whole: its entries are all there, with their term and their bytes.
fn check_content(loaded: &Loaded) {
    for stored in &loaded.entries {
        let expected = entry(
            stored.index,
            stored.term,
            200 + (stored.index % 900) as usize,
        );
        assert_eq!(*stored, expected);
    }
    let term = loaded.hard_state.term;
    let newest = loaded
        .entries
        .iter()
        .filter(|entry| entry.term == term)
        .count() as u64;
    assert_eq!(newest, term % 5 + 3);
}
