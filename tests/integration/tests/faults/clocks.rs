//! Wall clocks that jump.

use crate::turns::turn;
use berth_integration::ground::Setup;
use berth_integration::load::Recorder;
use berth_integration::run::Run;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Debian's libfaketime; it asks the linker's own search path.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// The members' wall clocks, each its own.
struct Clocks(TempDir);

impl Clocks {
    fn new() -> Self {
        assert!(
            Path::new(LIBRARY).exists(),
            "libfaketime is in apt-packages.txt"
        );
        let clocks = Self(tempfile::tempdir().expect("a folder"));
        for number in 1..=3 {
            clocks.set(number, "+0");
        }
        clocks
    }

    fn file(&self, number: usize) -> PathBuf {
        self.0.path().join(format!("clock-{number}"))
    }

    /// So many seconds off from now on.
    fn set(&self, number: usize, offset: &str) {
        let new = self.0.path().join("new");
        let set = fs::write(&new, offset).and_then(|()| fs::rename(&new, self.file(number)));
        set.expect("a small file");
    }

    fn run(&self, setup: &Setup) -> Run {
        Run::start(41, Recorder::default(), |number| {
            let with = setup.clone().with("LD_PRELOAD", LIBRARY);
            let with = with.with(
                "FAKETIME_TIMESTAMP_FILE",
                &self.file(number).to_string_lossy(),
            );
            // Only the wall clock: the monotonic one cannot jump.
            let with = with.with("FAKETIME_DONT_FAKE_MONOTONIC", "1");
            with.with("FAKETIME_NO_CACHE", "1")
                .with("DONT_FAKE_MONOTONIC", "1")
        })
    }
}

/// Allocations between two jumps.
const SERVED: usize = 6;

/// Promise: a wall clock that jumps an hour shortens no cooling and no settling, and the times of the history never go back.
#[test]
fn jumping_clocks_violate_nothing() {
    let _turn = turn();
    let clocks = Clocks::new();
    let run = clocks.run(&Setup::shipped());
    for offset in ["+3600", "-3600", "+0"] {
        for number in 1..=3 {
            clocks.set(number, offset);
            for _ in 0..SERVED {
                run.await_service();
            }
        }
    }
    let ended = run.finish();
    println!("{}", ended.verdict);
    let history = ended
        .record
        .histories
        .values()
        .next()
        .expect("some history");
    let walls: Vec<u64> = history.iter().map(|group| group.wall_time_ms).collect();
    let (first, last) = (
        walls.first().expect("a group"),
        walls.last().expect("a group"),
    );
    assert!(
        last - first > 3_000_000,
        "the clocks did not jump: {first} to {last}"
    );
    ended.assert_good();
}

/// Longer than a cooling.
const A_WHILE: Duration = Duration::from_secs(3);

/// Negative control: where the wall clock drives what expires, addresses are used again too soon.
#[test]
fn expiry_by_the_wall_clock_is_found() {
    let _turn = turn();
    let clocks = Clocks::new();
    let run = clocks.run(&Setup::planted("wall-clock"));
    thread::sleep(A_WHILE);
    for number in 1..=3 {
        clocks.set(number, "+3600");
    }
    thread::sleep(A_WHILE);
    let verdict = run.finish_anyhow().expected_bad();
    println!("{}", verdict.summary());
    assert!(verdict.breaks("A11"), "{verdict}");
}
