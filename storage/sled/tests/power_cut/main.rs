//! Power cuts: needs root, /dev/fuse and loop devices, so it is built only with `--features root-tests`.
//!
//! A store writes to ext4 on a loop device on a one-file FUSE disk that records every write and every flush, with the acknowledgements
//! in between. Afterwards power is cut at random points of that record: everything up to the last flush survives,
//! and of later writes any subset of sectors or blocks. Each such disk is mounted and opened, and must hold everything acknowledged before the cut.
//! `BERTH_POWER_CUTS` sets how many cuts (default 150).

#![allow(clippy::unwrap_used)] // in a test an unwrap is the failure

mod cut;
mod disk;
mod workload;

use cut::{Cuts, Verdict};
use disk::{Event, RecordingDisk};
use workload::Barrier;

fn cuts_wanted() -> usize {
    let wanted = std::env::var("BERTH_POWER_CUTS");
    wanted.map_or(150, |wanted| {
        wanted.parse().expect("BERTH_POWER_CUTS is a number")
    })
}

/// Runs the workload on a recording disk and returns the record.
fn record(barrier: Barrier) -> Vec<Event> {
    let disk = RecordingDisk::mount();
    workload::run(&disk, barrier);
    disk.finish()
}

#[test]
fn nothing_acknowledged_is_lost_at_a_power_cut() {
    // Pitfalls S1, S2 and S8: an acknowledged write survives any power cut, none is half there, and a cut during the creation
    // leaves a directory that is known to be unfinished.
    let events = record(Barrier::Kept);
    let mut cuts = Cuts::new(&events, 1);
    for number in 0..cuts_wanted() {
        // Every fourth one during the creation of the store.
        let cut = if number % 4 == 0 {
            cuts.during_creation()
        } else {
            cuts.after_creation()
        };
        let verdict = cuts.examine(cut);
        assert_eq!(
            verdict,
            Verdict::Kept,
            "cut {number} at event {cut} of {}",
            events.len()
        );
    }
}

#[test]
fn without_our_own_sync_the_harness_sees_the_loss() {
    // The negative control: sled's flush alone loses acknowledged data, and the same cuts show it.
    let events = record(Barrier::Missing);
    let mut cuts = Cuts::new(&events, 1);
    let total = 24;
    let bad = (0..total)
        .map(|_| cuts.after_creation())
        .filter(|cut| cuts_verdict(&events, *cut) != Verdict::Kept)
        .count();
    assert!(
        bad * 3 >= total,
        "only {bad} of {total} cuts lost something"
    );
}

fn cuts_verdict(events: &[Event], cut: usize) -> Verdict {
    Cuts::new(events, cut as u64 + 1).examine(cut)
}
