//! Packets that do not arrive: in both directions, in one, between servers alone, now and then.

use crate::turns::{spread, turn, wanted};
use berth_integration::ground::{Cut, Disturbed, Setup};
use berth_integration::load::{Chance, Recorder};
use berth_integration::nemesis::Fault;
use berth_integration::run::{Ended, Run};
use std::thread;
use std::time::Duration;

/// One of each, and the worst of them twice.
const CUTS: [Fault; 10] = [
    Fault::CutLeaderFromPeers,
    Fault::CutLeader,
    Fault::CutFollower,
    Fault::DeafLeader,
    Fault::DeafFollower,
    Fault::CutOneLink,
    Fault::CutEverybody,
    Fault::CutLeaderFromPeers,
    Fault::DeafLeader,
    Fault::CutOneLink,
];

/// Promise: whoever cannot talk to whom, nothing is violated, and whoever has a quorum serves.
#[test]
fn partitions_violate_nothing() {
    let _turn = turn();
    let mut run = Run::shipped(3);
    let mut chance = Chance::new(3, 9);
    let mut served = Vec::new();
    for fault in CUTS.iter().cycle().take(wanted("BERTH_CUTS", CUTS.len())) {
        let struck = fault.strike(&mut run, &mut chance);
        served.push(struck.served_after);
    }
    let ended = run.finish();
    println!(
        "{}\npartition to the next ADD: {}",
        ended.verdict,
        spread(served)
    );
    ended.assert_good();
}

/// The leader loses its peers, and clients go on at it until another leads.
fn leader_cut_off(setup: &Setup, cut: &Cut) -> Ended {
    let mut run = Run::start(4, Recorder::default(), |_| setup.clone());
    let leader = run.ground.await_leader();
    let cut = Disturbed::cut(run.ground.member(leader), cut);
    run.await_service();
    run.ground.until("another leader", || {
        let now = run.ground.leader();
        now.is_some_and(|(number, _)| number != leader)
    });
    run.await_service();
    thread::sleep(Duration::from_millis(500));
    drop(cut);
    thread::sleep(Duration::from_secs(1));
    run.finish_anyhow()
}

/// Negative control: a leader that commits alone loses what it acknowledged, cut off from its peers in both directions.
#[test]
fn a_leader_that_commits_alone_is_found() {
    let _turn = turn();
    let verdict = leader_cut_off(&Setup::planted("commit-alone"), &Cut::Peers).expected_bad();
    println!("{}", verdict.summary());
    assert!(verdict.breaks("R3") || verdict.breaks("R9"), "{verdict}");
}

/// Negative control: the same if it only hears nobody.
#[test]
fn a_deaf_leader_that_commits_alone_is_found() {
    let _turn = turn();
    let run = || {
        let deaf = Cut::DeafTo(vec![1, 2, 3]);
        leader_cut_off(&Setup::planted("commit-alone"), &deaf)
    };
    let verdict = run().expected_bad();
    println!("{}", verdict.summary());
    assert!(verdict.breaks("R3") || verdict.breaks("R9"), "{verdict}");
}

/// A stale read needs the moment in which two lead, which is short: the one that was cut off soon notices. So often it is
/// tried at most, each with several strikes; six were too few once.
const TRIES: u64 = 24;
/// Strikes of one try.
const STRIKES: usize = 4;

fn stale_reads(fault: Fault, switch: &str) {
    let mut chance = Chance::new(5, 9);
    let found = (0..TRIES).find_map(|seed| {
        let mut run = Run::planted(seed, switch);
        for _ in 0..STRIKES {
            fault.strike(&mut run, &mut chance);
        }
        let verdict = run.finish_anyhow().expected_bad();
        (!verdict.violations.is_empty()).then_some(verdict)
    });
    let verdict = found.unwrap_or_else(|| panic!("{fault} does not show the stale read"));
    println!("{fault}: {}", verdict.summary());
    assert!(verdict.breaks("R9 a read"), "{verdict}");
}

/// Negative control: a leader that answers reads without asking its peers gives stale answers while another leads already.
#[test]
fn a_leader_that_reads_alone_is_found() {
    let _turn = turn();
    stale_reads(Fault::CutLeaderFromPeers, "read-alone");
}

/// Negative control: the same of a leader that was stopped meanwhile.
#[test]
fn a_paused_leader_that_reads_alone_is_found() {
    let _turn = turn();
    stale_reads(Fault::PauseLeader, "read-alone-after-pause");
}

/// Everybody loses packets while calls go on.
fn lossy(setup: &Setup) -> Run {
    let run = Run::start(6, Recorder::default(), |_| setup.clone());
    let all = run.ground.members.iter();
    let loss: Vec<_> = all
        .map(|member| Disturbed::cut(member, &Cut::Loss(12)))
        .collect();
    let enough = run.load.recorder().count() + 600;
    run.ground.until("calls over a bad network", || {
        run.load.recorder().count() >= enough
    });
    drop(loss);
    run.await_service();
    run
}

/// Promise: lost packets make calls slow and repeated, and no call has two effects.
#[test]
fn lost_packets_violate_nothing() {
    let _turn = turn();
    let ended = lossy(&Setup::shipped()).finish();
    println!("{}", ended.verdict);
    ended.assert_good();
}

/// Negative control: without knowing repeats again, a repeated ADD has two effects.
#[test]
fn forgotten_repeats_are_found() {
    let _turn = turn();
    let verdict = lossy(&Setup::planted("forget-repeats"))
        .finish_anyhow()
        .expected_bad();
    println!("{}", verdict.summary());
    assert!(verdict.breaks("A4"), "{verdict}");
}
