//! Who may vote, who may lead, and who is who.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use berth_raft::log_store::LogStore;
use berth_raft::memory::Memory;
use berth_raft::options::{Mutant, Options};
use berth_raft::replica::input::Change;
use berth_raft::replica::output::{ChangeRefused, TransferRefused};
use berth_raft::simulation::counter::{Counter, CounterLoad};
use berth_raft::simulation::plan::Plan;
use berth_raft::simulation::workload::Violation;
use berth_raft::simulation::world::{World, store_id};
use berth_raft::start::{self, BOOTSTRAP_INDEX, Start};
use std::collections::BTreeMap;

type Cluster = World<CounterLoad>;

fn cluster(plan: Plan) -> (Cluster, u64) {
    let mut world = World::new(3, plan, CounterLoad::default()).unwrap();
    world
        .run_until(1_000, |world| world.leader().is_some())
        .unwrap();
    let leader = world.leader().unwrap();
    (world, leader)
}

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

/// Two of three acknowledge; one of the two is wiped and started again under its id with the bootstrap flag, the
/// other one dies. The wiped one and the one that missed the entries must not make a quorum of forgetters.
fn wipe_one_of_three(mutant: Option<Mutant>) -> Result<Cluster, Violation> {
    let mut plan = Plan::calm(3);
    plan.options.mutant = mutant;
    let (mut world, leader) = cluster(plan);
    let rest: Vec<u64> = (1..=3).filter(|member| *member != leader).collect();
    let (missed, wiped) = (rest[0], rest[1]);
    world.isolate(missed);
    for _ in 0..5 {
        put(&mut world, leader)?;
    }
    world.wipe(wiped)?;
    world.crash(leader)?;
    world.heal();
    world
        .start(
            wiped,
            &Start::Bootstrap {
                members: vec![1, 2, 3],
            },
        )
        .unwrap();
    world.run(3_000)?;
    assert_eq!(
        world.leader(),
        None,
        "nobody leads without the one that remembers"
    );
    world.restart(leader)?;
    world.run_until(1_000, |world| world.leader().is_some())?;
    let leader = world.leader().unwrap();
    assert!(
        world.machine(leader).unwrap().count >= 5,
        "what was acknowledged is still there"
    );
    Ok(world)
}

#[test]
fn a_wiped_member_cannot_vote_under_its_old_id() {
    // Promise: a member whose disk was lost counts for nothing under its old id; acknowledged entries survive.
    wipe_one_of_three(None).unwrap();
    let broken =
        std::panic::catch_unwind(|| wipe_one_of_three(Some(Mutant::TrustAnyStore)).map(drop));
    assert!(
        !matches!(broken, Ok(Ok(()))),
        "a wiped member that is believed would lose acknowledged entries"
    );
}

#[test]
fn an_emptied_voter_that_joins_again_stops_itself() {
    // Promise: even where its store was never registered, a wiped voter that joins under its old id refuses to go on.
    let (mut world, leader) = cluster(Plan::calm(3));
    world.register_stores(BTreeMap::new());
    put(&mut world, leader).unwrap();
    let rest: Vec<u64> = (1..=3).filter(|member| *member != leader).collect();
    world.wipe(rest[0]).unwrap();
    world.transfer(leader, Some(rest[1]));
    world
        .run_until(500, |world| world.leader() == Some(rest[1]))
        .unwrap();
    world.start(rest[0], &Start::Join).unwrap();
    world
        .run_until(1_000, |world| world.stopped(rest[0]).is_some())
        .unwrap();
    let why = world.stopped(rest[0]).unwrap();
    assert!(why.contains("votes already"), "{why}");
}

#[test]
fn a_rolled_back_disk_stops_its_member() {
    // Promise: a member that has forgotten what it acknowledged to the present leader stops and says so.
    let (mut world, leader) = cluster(Plan::calm(3));
    world.register_stores(BTreeMap::new());
    for _ in 0..3 {
        put(&mut world, leader).unwrap();
    }
    let other = (1..=3).find(|member| *member != leader).unwrap();
    world.run(100).unwrap();
    world.wipe(other).unwrap();
    world
        .start(
            other,
            &Start::Bootstrap {
                members: vec![1, 2, 3],
            },
        )
        .unwrap();
    world
        .run_until(500, |world| world.stopped(other).is_some())
        .unwrap();
    let why = world.stopped(other).unwrap();
    assert!(why.contains("rolled back"), "{why}");
}

#[test]
fn a_newcomer_learns_then_votes_in_place_of_another() {
    // Promise: a learner gets a snapshot, is promoted only when it has caught up, and replaces a voter in one step.
    let (mut world, leader) = cluster(Plan::calm(3));
    put(&mut world, leader).unwrap();
    world.add_node(4);
    let mut stores: BTreeMap<u64, [u8; 16]> = (1..=4)
        .map(|member| (member, store_id(member, 0)))
        .collect();
    stores.insert(4, store_id(4, 0));
    world.register_stores(stores);
    let added = world.change(leader, Change::AddLearner { member: 4 });
    world
        .run_until(200, |world| {
            world.answers().changes.iter().any(|(id, _)| *id == added)
        })
        .unwrap();

    let early = world.change(
        leader,
        Change::Promote {
            member: 4,
            replaces: None,
        },
    );
    world.run(5).unwrap();
    let refused = world
        .answers()
        .changes_refused
        .iter()
        .find(|(id, _)| *id == early)
        .map(|(_, reason)| *reason);
    assert!(
        matches!(refused, Some(ChangeRefused::NotCaughtUp { member: 4, .. })),
        "{refused:?}"
    );

    world.start(4, &Start::Join).unwrap();
    world
        .run_until(1_000, |world| {
            world.machine(4).is_some_and(|machine| machine.count == 1)
        })
        .unwrap();
    assert!(
        world.counts().snapshots_installed >= 1,
        "it came by snapshot"
    );
    world.run(50).unwrap();
    let replaced = (1..=3).find(|member| *member != leader).unwrap();
    world.change(
        leader,
        Change::Promote {
            member: 4,
            replaces: Some(replaced),
        },
    );
    world
        .run_until(1_000, |world| {
            world.status(leader).is_some_and(|status| {
                status.membership.voters.contains(&4)
                    && !status.membership.voters.contains(&replaced)
                    && status.membership.voters_outgoing.is_empty()
            })
        })
        .unwrap();
    put(&mut world, leader).unwrap();
    world
        .run_until(500, |world| world.stopped(replaced) == Some("removed"))
        .unwrap();
}

#[test]
fn a_removal_that_would_endanger_the_quorum_is_refused() {
    // Promise: a live voter is not removed while the rest could not make a quorum, unless that is forced.
    let (mut world, leader) = cluster(Plan::calm(3));
    let rest: Vec<u64> = (1..=3).filter(|member| *member != leader).collect();
    world.crash(rest[0]).unwrap();
    world.run(200).unwrap();
    let asked = world.change(
        leader,
        Change::Remove {
            member: rest[1],
            forced: false,
        },
    );
    world.run(5).unwrap();
    let refusal = (
        asked,
        ChangeRefused::QuorumAtRisk {
            alive: 1,
            needed: 2,
        },
    );
    assert_eq!(world.answers().changes_refused, vec![refusal]);
    let dead = world.change(
        leader,
        Change::Remove {
            member: rest[0],
            forced: false,
        },
    );
    world
        .run_until(200, |world| {
            world.answers().changes.iter().any(|(id, _)| *id == dead)
        })
        .unwrap();
}

#[test]
fn a_hand_over_is_answered_either_way() {
    // Promise: a transfer ends with the new leader or with a reason, and never blocks proposals for longer than that.
    let (mut world, leader) = cluster(Plan::calm(3));
    let rest: Vec<u64> = (1..=3).filter(|member| *member != leader).collect();
    world.isolate(rest[0]);
    let failing = world.transfer(leader, Some(rest[0]));
    let nobody = world.transfer(rest[1], None);
    world
        .run_until(600, |world| world.answers().transfers.len() == 2)
        .unwrap();
    assert!(
        world
            .answers()
            .transfers
            .contains(&(nobody, Err(TransferRefused::NotLeader)))
    );
    assert!(
        world
            .answers()
            .transfers
            .contains(&(failing, Err(TransferRefused::TimedOut(rest[0]))))
    );
    put(&mut world, leader).unwrap();
    world.heal();
    world.run(200).unwrap();
    let working = world.transfer(leader, None);
    world
        .run_until(300, |world| world.answers().transfers.len() == 3)
        .unwrap();
    let result = world.answers().transfers[2];
    assert_eq!(result.0, working);
    assert!(result.1.is_ok_and(|now| now != leader));
}

/// The leader is cut off and frozen for longer than an election timeout, then looks at itself.
fn paused_leader(mutant: Option<Mutant>) -> (Cluster, u64) {
    let mut plan = Plan::calm(3);
    plan.options.mutant = mutant;
    let (mut world, leader) = cluster(plan);
    world.isolate(leader);
    world.freeze(leader, 300);
    world.run(301).unwrap();
    (world, leader)
}

#[test]
fn a_leader_that_was_away_serves_nothing_before_it_has_asked() {
    // Promise: after a pause longer than an election timeout a leader is not ready until a fresh round proves it.
    let (world, leader) = paused_leader(None);
    assert!(world.role(leader).leads() && !world.role(leader).ready);
    let (world, leader) = paused_leader(Some(Mutant::ServeAfterPause));
    assert!(
        world.role(leader).ready,
        "the check would find a leader that just goes on"
    );
}

#[test]
fn a_leader_that_was_away_and_still_leads_serves_again() {
    // Promise: the proof needs no read of anybody: the leader asks by itself.
    let (mut world, leader) = cluster(Plan::calm(3));
    for member in 1..=3 {
        world.freeze(member, 300);
    }
    world.run(301).unwrap();
    assert!(!world.role(leader).ready);
    world
        .run_until(50, |world| world.role(leader).ready)
        .unwrap();
}

fn options() -> Options {
    Options::new(1, [9; 16], 1)
}

#[test]
fn each_life_fits_its_store_or_is_refused() {
    // Promise: nothing is guessed from an empty or a full store; the error says what to do.
    let mut store = Memory::new();
    let mut open =
        |start: Start| start::open(&mut store, &start, Counter::default(), options()).map(drop);
    let empty = open(Start::Recover).unwrap_err();
    assert!(
        empty.to_string().contains("join as a new member"),
        "{empty}"
    );
    assert!(matches!(
        open(Start::Bootstrap {
            members: vec![2, 3]
        }),
        Err(start::Error::Members { .. })
    ));
    assert!(matches!(
        open(Start::Bootstrap {
            members: vec![1, 1]
        }),
        Err(start::Error::Members { .. })
    ));
    open(Start::Bootstrap {
        members: vec![1, 2, 3],
    })
    .unwrap();
    assert!(matches!(
        open(Start::Bootstrap {
            members: vec![1, 2, 3]
        }),
        Err(start::Error::NotEmpty)
    ));
    assert!(matches!(open(Start::Join), Err(start::Error::NotEmpty)));
    open(Start::Recover).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!(
        (loaded.truncated_index, loaded.snapshot.unwrap().index),
        (BOOTSTRAP_INDEX, BOOTSTRAP_INDEX)
    );
}
