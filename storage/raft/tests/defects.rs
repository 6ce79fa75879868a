//! raft-rs 0.7's verified defects V1 to V5, one script each, and each with the variant that would fall for it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use berth_raft::log_store::{Batch, HardState, LogStore};
use berth_raft::memory::Memory;
use berth_raft::options::{Mutant, Options};
use berth_raft::replica::MessageKind;
use berth_raft::replica::input::Change;
use berth_raft::replica::output::ChangeRefused;
use berth_raft::simulation::counter::{Counter, CounterLoad};
use berth_raft::simulation::network::{Packet, Verdict};
use berth_raft::simulation::plan::Plan;
use berth_raft::simulation::workload::Violation;
use berth_raft::simulation::world::World;
use berth_raft::start::{self, Start};

type Cluster = World<CounterLoad>;

fn plan(mutant: Option<Mutant>) -> Plan {
    let mut plan = Plan::calm(3);
    plan.options.mutant = mutant;
    plan
}

fn cluster(mutant: Option<Mutant>) -> (Cluster, u64) {
    let mut world = World::new(1, plan(mutant), CounterLoad::default()).unwrap();
    world
        .run_until(1_000, |world| world.leader().is_some())
        .unwrap();
    let leader = world.leader().unwrap();
    put(&mut world, leader).unwrap();
    (world, leader)
}

/// Proposes a number and waits until the proposer has applied it.
fn put(world: &mut Cluster, leader: u64) -> Result<(), Violation> {
    let count = world.machine(leader).unwrap().count;
    let number = world.workload.next_number();
    world.propose(leader, number);
    world.run_until(500, |world| {
        world
            .machine(leader)
            .is_some_and(|machine| machine.count > count)
    })
}

fn others(leader: u64) -> Vec<u64> {
    (1..=3).filter(|member| *member != leader).collect()
}

/// V1's script: an acknowledgement of an old read is delayed until its leader is deposed and reads again.
fn stale_acknowledgement(mutant: Option<Mutant>) -> Result<Cluster, Violation> {
    let (mut world, leader) = cluster(mutant);
    let late = others(leader)[0];
    world.set_filter(Some(Box::new(move |packet: &Packet| {
        let is_late = packet.from.member == late && packet.kind() == MessageKind::ReadAnswer;
        if is_late {
            Verdict::Hold
        } else {
            Verdict::Deliver
        }
    })));
    let first = world.read(leader);
    world.run_until(100, |world| {
        world.answers().reads.iter().any(|(id, ..)| *id == first)
    })?;
    let awake_at = world.now() + 600;
    world.freeze(leader, 600);
    world.isolate(leader);
    world.run_until(500, |world| world.leader().is_some_and(|now| now != leader))?;
    let new_leader = world.leader().unwrap();
    put(&mut world, new_leader)?;
    world.run_until(700, |world| world.now() > awake_at)?;
    assert!(
        world.role(leader).leads(),
        "the deposed leader does not know yet"
    );
    world.read(leader);
    world.step()?;
    assert!(world.release() > 0, "the script held nothing back");
    world.run(20)?;
    Ok(world)
}

#[test]
fn v1_an_old_acknowledgement_confirms_no_new_read() {
    // Promise: a deposed leader never answers a read from its old state, even when an old acknowledgement turns up.
    let world = stale_acknowledgement(None).unwrap();
    assert_eq!(
        world.answers().reads.len(),
        1,
        "only the first read was answered"
    );
    let broken = stale_acknowledgement(Some(Mutant::ReuseReadContext)).err();
    assert_eq!(
        broken.map(|violation| violation.rule),
        Some("R9"),
        "the check would find a reused context"
    );
}

fn leader_removes_itself(mutant: Option<Mutant>) -> Result<Cluster, Violation> {
    let (mut world, leader) = cluster(mutant);
    assert!(
        world
            .replica_mut(leader)
            .unwrap()
            .propose_unchecked_removal(leader)
    );
    let rest = others(leader);
    let has_left = |world: &Cluster, member: u64| {
        world
            .status(member)
            .is_some_and(|status| !status.membership.voters.contains(&leader))
    };
    world.run_until(500, |world| {
        rest.iter().any(|member| has_left(world, *member))
    })?;
    world.run_until(1_000, |world| {
        world.leader().is_some_and(|now| now != leader)
    })?;
    let new_leader = world.leader().unwrap();
    put(&mut world, new_leader)?;
    assert_eq!(world.stopped(leader), Some("removed"));
    Ok(world)
}

#[test]
fn v2_a_removed_leader_stops_and_the_others_go_on() {
    // Promise: a leader whose removal is applied stops at once, and the rest elects a leader and commits.
    leader_removes_itself(None).unwrap();
    let broken = leader_removes_itself(Some(Mutant::KeepLeadingWhenRemoved)).err();
    assert_eq!(
        broken.map(|violation| violation.rule),
        Some("R11"),
        "the check would find a leader that stays"
    );
}

#[test]
fn v2_a_leader_hands_over_before_it_is_removed() {
    // Promise: asked to remove itself, a leader hands over and says so; the new leader removes it without a gap.
    let (mut world, leader) = cluster(None);
    let asked = world.change(
        leader,
        Change::Remove {
            member: leader,
            forced: false,
        },
    );
    world
        .run_until(200, |world| world.leader().is_some_and(|now| now != leader))
        .unwrap();
    assert_eq!(
        world.answers().changes_refused,
        vec![(asked, ChangeRefused::HandingOver)]
    );
    let new_leader = world.leader().unwrap();
    let asked = world.change(
        new_leader,
        Change::Remove {
            member: leader,
            forced: false,
        },
    );
    world
        .run_until(200, |world| {
            world.answers().changes.iter().any(|(id, _)| *id == asked)
        })
        .unwrap();
    assert!(!world.answers().changes[0].1.voters.contains(&leader));
    put(&mut world, new_leader).unwrap();
    world
        .run_until(300, |world| world.stopped(leader) == Some("removed"))
        .unwrap();
}

fn two_changes_at_once(mutant: Option<Mutant>) -> (Cluster, u64, u64) {
    let (mut world, leader) = cluster(mutant);
    let first = world.change(leader, Change::AddLearner { member: 8 });
    let second = world.change(leader, Change::AddLearner { member: 9 });
    world.run(100).unwrap();
    (world, first, second)
}

#[test]
fn v3_a_second_change_is_refused_and_never_reported_as_made() {
    // Promise: of two changes at once one is made and the other refused; nobody is told of a change that is not there.
    let (world, first, second) = two_changes_at_once(None);
    assert_eq!(
        world.answers().changes_refused,
        vec![(second, ChangeRefused::Pending)]
    );
    assert_eq!(
        world
            .answers()
            .changes
            .iter()
            .map(|(id, _)| *id)
            .collect::<Vec<_>>(),
        vec![first]
    );
    let leader = world.leader().unwrap();
    assert_eq!(world.status(leader).unwrap().membership.learners, vec![8]);

    let (world, _, second) = two_changes_at_once(Some(Mutant::CompleteChangeOnPropose));
    let learners = world
        .status(world.leader().unwrap())
        .unwrap()
        .membership
        .learners;
    let was_told = world.answers().changes.iter().any(|(id, _)| *id == second);
    assert!(
        was_told && !learners.contains(&9),
        "the check would find raft-rs's Ok taken for the change itself"
    );
}

fn options(mutant: Option<Mutant>) -> Options {
    let mut options = Options::new(1, [1; 16], 1);
    options.mutant = mutant;
    options
}

fn open(store: &mut Memory, start: Start, mutant: Option<Mutant>) -> Result<(), start::Error> {
    start::open(store, &start, Counter::default(), options(mutant)).map(drop)
}

#[test]
fn v4_a_restart_never_claims_more_than_the_log_has() {
    // Promise: a commit index behind the snapshot, as a lazy write leaves it, starts; applied begins at the snapshot.
    let mut store = Memory::new();
    open(&mut store, Start::Bootstrap { members: vec![1] }, None).unwrap();
    let state = HardState {
        term: 6,
        vote: 1,
        commit: 0,
    };
    store
        .write(&Batch {
            hard_state: Some(state),
            ..Batch::default()
        })
        .unwrap();
    open(&mut store, Start::Recover, None).unwrap();
    let unclamped = std::panic::catch_unwind(move || {
        open(&mut store, Start::Recover, Some(Mutant::TrustCommit))
    });
    assert!(unclamped.is_err(), "raft-rs itself would panic");
}

#[test]
fn v5_elections_follow_the_seed_and_nothing_else() {
    // Promise: with raft-rs's own random timeouts two runs of a seed differ, so the equality test in `seeds` can fail.
    let hash = |mutant| {
        let mut plan = plan(mutant);
        plan.crash_per_mille = 3;
        plan.restart_per_mille = 20;
        let mut world = World::new(5, plan, CounterLoad::default()).unwrap();
        world.run(5_000).unwrap();
        world.trace_hash()
    };
    assert_eq!(hash(None), hash(None));
    let unseeded: Vec<u64> = (0..5)
        .map(|_| hash(Some(Mutant::UnseededElections)))
        .collect();
    assert!(
        unseeded.iter().any(|hash| *hash != unseeded[0]),
        "five runs with random elections were all the same"
    );
}
