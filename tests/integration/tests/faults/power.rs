//! The power of all servers is cut at once.

use crate::turns::{turn, wanted};
use berth_integration::ground::Setup;
use berth_integration::load::Chance;
use berth_integration::power::Recording;
use std::time::Duration;

/// The figure of every change; a soak makes more.
const CUTS: usize = 20;
/// Cuts without the barrier, until one has lost something: about every second does.
const CONTROL_CUTS: usize = 15;
/// A run is cut at many moments.
const LENGTH: Duration = Duration::from_secs(8);

/// Promise: whenever the power of all servers is cut, and whatever of the unsynced writes survives it, the cluster comes
/// back with everything that was acknowledged.
#[test]
fn nothing_is_lost_by_power_cuts() {
    let _turn = turn();
    let mut recording = Recording::make(11, &Setup::shipped(), LENGTH);
    let mut chance = Chance::new(11, 9);
    let mut revisions = 0;
    for number in 0..wanted("BERTH_CLUSTER_POWER_CUTS", CUTS) {
        let verdict = recording.cut(&mut chance);
        revisions += verdict.revisions;
        let is_good = verdict.violations.is_empty() && verdict.revisions > 0;
        assert!(
            is_good,
            "cut {number}: {verdict}\nkept in {}",
            recording.keep().display()
        );
    }
    println!(
        "{} operations, {revisions} revisions checked after cuts",
        recording.operations()
    );
}

/// Negative control: without our own sync the same cuts lose what was acknowledged.
#[test]
fn cuts_without_the_barrier_are_found() {
    let _turn = turn();
    let recording = Recording::make(12, &Setup::planted("no-barrier"), LENGTH);
    let mut chance = Chance::new(12, 9);
    let is_found = (0..CONTROL_CUTS).any(|_| {
        let verdict = recording.cut(&mut chance);
        println!("{}", verdict.summary());
        verdict.breaks("R3")
    });
    assert!(is_found, "no cut of {CONTROL_CUTS} lost anything");
}
