//! Readers on other threads while the writer appends, merges and drops.

use super::{fresh, record};
use berth_store::history::{Order, Query};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const COMMITS: u64 = 400;

#[test]
fn readers_see_whole_prefixes_while_the_writer_works() {
    // At every moment a reader finds each committed revision exactly once, by range and by key, whatever is merged meanwhile.
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, reader) = fresh(&directory.path().join("history"));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for reader in [reader.clone(), reader.clone()] {
            let done = &done;
            scope.spawn(move || {
                let mut looks = 0;
                while !done.load(Ordering::Acquire) || looks == 0 {
                    look(&reader);
                    looks += 1;
                }
            });
        }
        // A failed write must end the readers too, or the test would never end.
        let _ending = Ending(&done);
        let mut next = 1;
        for commit in 1..=COMMITS {
            let count = if commit % 10 == 0 { 40 } else { 3 };
            writer
                .append(
                    (next..next + count)
                        .map(|revision| record(revision, 2500))
                        .collect(),
                )
                .unwrap();
            writer.commit().unwrap();
            next += count;
        }
    });
}

/// Tells the readers to stop, however the writer ends.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn look(reader: &berth_store::history::HistoryReader) {
    let before = reader.through().revision;
    let mut query = Query {
        order: Order::OldestFirst,
        last_revision: before,
        limit: 10_000,
        ..Query::default()
    };
    for key in [None, Some(b"all")] {
        query.first_revision = 0;
        let mut expected = 1;
        while expected <= before {
            let page = match key {
                None => reader.range(&query).unwrap(),
                Some(key) => reader.by_key(key, &query).unwrap(),
            };
            assert!(
                !page.records.is_empty(),
                "nothing at {expected} of {before}"
            );
            for found in page.records {
                assert_eq!(found.revision, expected);
                expected += 1;
            }
            query.first_revision = expected;
        }
    }
}
