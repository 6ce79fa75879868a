//! `kill -9`: of the leader, of a follower, of all at once.

use crate::turns::{spread, turn, wanted};
use berth_integration::ground::{Disturbed, Setup};
use berth_integration::load::{Chance, Recorder};
use berth_integration::nemesis::{Fault, others};
use berth_integration::run::{Run, numbers};
use std::thread;
use std::time::{Duration, Instant};

/// The figure of every change; a soak makes more.
const CYCLES: usize = 60;

/// Promise: whatever is killed whenever, nothing acknowledged is lost and nothing else is violated.
#[test]
fn nothing_is_lost_by_kills() {
    let _turn = turn();
    let mut run = Run::shipped(1);
    let mut chance = Chance::new(1, 9);
    let mut leader_kills = Vec::new();
    let begun = Instant::now();
    for _ in 0..wanted("BERTH_KILLS", CYCLES) {
        let fault = match chance.between(0, 100) {
            0..50 => Fault::KillLeader,
            50..75 => Fault::KillFollower,
            _ => Fault::KillAll,
        };
        let struck = fault.strike(&mut run, &mut chance);
        if fault == Fault::KillLeader {
            leader_kills.push(struck.served_after);
        }
        thread::sleep(Duration::from_millis(chance.between(0, 200)));
    }
    let took = begun.elapsed();
    let ended = run.finish();
    println!("{}", ended.verdict);
    println!(
        "kills took {took:.1?}; kill -9 of the leader to the next ADD: {}",
        spread(leader_kills)
    );
    ended.assert_good();
}

/// The followers' disks take long to write; all are killed just after an ADD was answered, and the followers come back
/// before the leader, so that only what they have written counts.
fn killed_while_writing(setup: &Setup) -> Run {
    let mut run = Run::start(2, Recorder::default(), |_| setup.clone());
    run.await_service();
    let leader = run.ground.await_leader();
    let followers = others(leader);
    let members = followers.map(|number| &run.ground.members[number - 1]);
    let slow = members.map(|member| Disturbed::slow_writes(member, WRITE_MS));
    run.await_service();
    for number in numbers() {
        run.ground.member(number).kill();
    }
    drop(slow);
    for number in numbers() {
        run.ground.member(number).wait();
    }
    for number in followers {
        run.ground.member(number).start(false).expect("it starts");
    }
    run.await_service();
    run.ground.member(leader).start(false).expect("it starts");
    run
}

/// Longer than the rest of a commit, shorter than an election.
const WRITE_MS: u64 = 250;

/// Promise: what is acknowledged is written by then, so that no kill can lose it, however slow the disks.
#[test]
fn nothing_is_acknowledged_before_it_is_written() {
    let _turn = turn();
    killed_while_writing(&Setup::shipped())
        .finish()
        .assert_good();
}

/// Negative control: followers that acknowledge before they have written lose what was acknowledged.
#[test]
fn early_acknowledgements_are_found() {
    let _turn = turn();
    let verdict = killed_while_writing(&Setup::planted("acknowledge-early"))
        .finish_anyhow()
        .expected_bad();
    println!("{}", verdict.summary());
    assert!(verdict.breaks("R3"), "{verdict}");
}
