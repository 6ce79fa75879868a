//! A full disk: needs root and loop devices, so it is built only with `--features root-tests`.

#![allow(clippy::unwrap_used)] // in a test an unwrap is the failure

use berth_raft::log_store::{Batch, Entry, HardState, LogStore};
use berth_store::directory::{Directory, Options};
use berth_store::{Error, SledLog};
use bytes::Bytes;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const DISK_BYTES: u64 = 300 << 20;
const BALLAST_BYTES: u64 = 48 << 20;
const BUSY_MAX: Duration = Duration::from_secs(20);

/// ext4 on a file, unmounted when dropped.
struct SmallDisk {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

// === impl SmallDisk ===

impl SmallDisk {
    fn mount() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let image = directory.path().join("disk");
        let path = directory.path().join("mounted");
        fs::create_dir(&path).unwrap();
        File::create(&image).unwrap().set_len(DISK_BYTES).unwrap();
        run("mkfs.ext4", &["-q", "-F", "-m", "0", text(&image)]);
        run("mount", &["-o", "loop", text(&image), text(&path)]);
        Self {
            path,
            _directory: directory,
        }
    }

    /// Takes every byte that is left, and says in which file.
    fn fill(&self) -> PathBuf {
        let path = self.path.join("filler");
        let mut filler = File::create(&path).unwrap();
        for size in [1 << 20, 4096, 512] {
            while filler.write_all(&vec![1; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // sled's worker threads give their files back a moment after a database was dropped; until then the mount is busy.
        let begun = Instant::now();
        let unmount = || Command::new("umount").arg(&self.path).output().unwrap();
        while !unmount().status.success() {
            assert!(begun.elapsed() < BUSY_MAX, "the disk stays busy");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn options(ballast_bytes: u64) -> Options {
    Options {
        ballast_bytes,
        watermark_bytes: 16 << 20,
        ..Options::default()
    }
}

fn batch(index: u64) -> Batch {
    let entry = Entry {
        index,
        term: 1,
        kind: 0,
        data: Bytes::from(vec![9; 50_000]),
        context: Bytes::new(),
    };
    Batch {
        entries: vec![entry],
        hard_state: Some(HardState {
            term: 1,
            vote: 1,
            commit: index,
        }),
        must_sync: true,
        ..Batch::default()
    }
}

/// Writes until the disk refuses; returns the last acknowledged index.
fn write_until_full(log: &mut SledLog, from: u64) -> u64 {
    for index in from.. {
        if log.write(&batch(index)).is_err() {
            assert!(log.write(&batch(index)).is_err(), "an error was not final");
            return index - 1;
        }
    }
    unreachable!("the disk never became full")
}

#[test]
fn a_full_disk_stops_the_store_and_the_ballast_opens_it_again() {
    // Pitfall S5: on a full disk a write fails for good and nothing acknowledged is lost; with the ballast the store opens
    // again on the same full disk, is known to be low, and can still write.
    let disk = SmallDisk::mount();
    let path = disk.path.join("data");
    let directory = Directory::create(&path, "cluster", 1, options(BALLAST_BYTES)).unwrap();
    assert_eq!(directory.space().unwrap().ballast_bytes, BALLAST_BYTES);
    assert!(!directory.space().unwrap().low);
    let mut log = directory.log().unwrap();
    log.load().unwrap();
    log.write(&batch(1)).unwrap();
    disk.fill();
    assert!(directory.space().unwrap().low);
    let acknowledged = write_until_full(&mut log, 2);
    drop((log, directory));

    let directory = Directory::open(&path, options(BALLAST_BYTES)).unwrap();
    assert_eq!(directory.space().unwrap().ballast_bytes, 0);
    let mut log = directory.log().unwrap();
    let loaded = log.load().unwrap();
    assert!(loaded.entries.len() as u64 >= acknowledged);
    log.write(&batch(loaded.entries.len() as u64 + 1)).unwrap();
}

#[test]
fn without_a_ballast_a_full_disk_cannot_be_opened_and_nothing_is_lost() {
    // The negative control: the same store without a ballast does not open until somebody makes room; then everything is there.
    let disk = SmallDisk::mount();
    let path = disk.path.join("data");
    let directory = Directory::create(&path, "cluster", 1, options(0)).unwrap();
    let mut log = directory.log().unwrap();
    log.load().unwrap();
    let filler = disk.fill();
    let acknowledged = write_until_full(&mut log, 1);
    drop((log, directory));
    disk.fill();

    let opened = Directory::open(&path, options(0)).and_then(|directory| directory.log());
    assert!(
        matches!(opened, Err(Error::Sled { .. } | Error::Io { .. })),
        "{opened:?}"
    );
    fs::remove_file(filler).unwrap();
    let directory = Directory::open(&path, options(0)).unwrap();
    let loaded = directory.log().unwrap().load().unwrap();
    assert!(loaded.entries.len() as u64 >= acknowledged);
}
