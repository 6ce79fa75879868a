//! A leader whose disk has become slow while those of the others are quick.

use crate::turns::turn;
use berth_integration::ground::{Disturbed, Setup};
use berth_integration::load::Recorder;
use berth_integration::run::Run;
use std::time::Duration;

/// Each sync of the leader takes so much longer: slow for any disk, and far from what an election waits for.
const SYNC_MS: u64 = 150;
/// Three seconds of slowness, a look every half second, and a busy machine.
const WITHIN: Duration = Duration::from_secs(15);

/// Whether another leads while the first leader's disk is slow; that one goes on beside it.
fn hands_over(setup: &Setup) -> (Run, bool) {
    let run = Run::start(24, Recorder::default(), |_| setup.clone());
    run.await_service();
    let leader = run.ground.await_leader();
    let delay = format!("delay_exit={}", SYNC_MS * 1_000);
    let slow = Disturbed::syncs(&run.ground.members[leader - 1], &delay);
    let moved = run.ground.holds_within(WITHIN, || {
        let now = run.ground.leader();
        now.is_some_and(|(number, _)| number != leader)
    });
    if moved {
        run.await_service();
    }
    drop(slow);
    (run, moved)
}

/// Promise: a leader whose disk has become slow hands over by itself to a member whose disk has not, and nothing is lost by it.
#[test]
fn a_leader_with_a_slow_disk_hands_over() {
    let _turn = turn();
    let (mut run, moved) = hands_over(&Setup::shipped());
    assert!(moved, "it leads on with syncs of {SYNC_MS} ms");
    let said = (1..=3).any(|number| {
        let said = run.ground.member(number).said();
        said.contains("this leader's disk is slow: handing the leadership over")
    });
    assert!(said, "another leads, but not because of that");
    run.finish().assert_good();
}

/// Negative control: one that does not look at its disk leads on, and the same look shows it.
#[test]
fn a_leader_that_bears_its_slow_disk_is_found() {
    let _turn = turn();
    let (run, moved) = hands_over(&Setup::planted("bear-slow-disk"));
    assert!(!moved, "the control controls nothing");
    run.finish_anyhow().expected_bad();
}
