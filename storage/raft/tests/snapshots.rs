//! Snapshots and compaction, with absurdly small thresholds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use berth_raft::log_store::{LogStore, Membership, SnapshotMeta};
use berth_raft::memory::Memory;
use berth_raft::options::{Mutant, Options};
use berth_raft::replica::input::Input;
use berth_raft::replica::output::Output;
use berth_raft::replica::{MessageKind, Replica};
use berth_raft::simulation::counter::{Counter, CounterLoad};
use berth_raft::simulation::network::{Packet, Verdict};
use berth_raft::simulation::plan::Plan;
use berth_raft::simulation::workload::Violation;
use berth_raft::simulation::world::World;
use berth_raft::start::{self, BOOTSTRAP_INDEX, Start};

type Cluster = World<CounterLoad>;

fn tiny() -> Plan {
    let mut plan = Plan::calm(3);
    plan.options.snapshot_every_entries = 4;
    plan.options.keep_entries = 2;
    plan.options.snapshot_patience_ticks = 10;
    plan
}

fn cluster(plan: Plan) -> (Cluster, u64) {
    let mut world = World::new(11, plan, CounterLoad::default()).unwrap();
    world
        .run_until(1_000, |world| world.leader().is_some())
        .unwrap();
    let leader = world.leader().unwrap();
    (world, leader)
}

fn put(world: &mut Cluster, leader: u64, times: u64) -> Result<(), Violation> {
    for _ in 0..times {
        let count = world.machine(leader).unwrap().count;
        let number = world.workload.next_number();
        world.propose(leader, number);
        world.run_until(500, |world| {
            world
                .machine(leader)
                .is_some_and(|machine| machine.count > count)
        })?;
    }
    Ok(())
}

#[test]
fn the_log_stays_short_and_a_restart_needs_little() {
    // Promise: after every few entries a snapshot is taken and the log behind it goes, and restarts start from it.
    let (mut world, leader) = cluster(tiny());
    put(&mut world, leader, 100).unwrap();
    world.run(200).unwrap();
    for member in 1..=3 {
        let status = world.status(member).unwrap();
        let snapshot = status.snapshot.unwrap().index;
        assert!(
            status.applied - snapshot <= 20,
            "member {member} snapshots: {snapshot} of {}",
            status.applied
        );
        assert!(
            status.first_index > snapshot - 10,
            "member {member} keeps from {}",
            status.first_index
        );
    }
    for member in 1..=3 {
        world.crash(member).unwrap();
        world.restart(member).unwrap();
    }
    world
        .run_until(1_000, |world| world.leader().is_some())
        .unwrap();
    let leader = world.leader().unwrap();
    put(&mut world, leader, 1).unwrap();
    assert_eq!(world.machine(leader).unwrap().count, 101);
}

#[test]
fn the_log_is_kept_for_what_is_not_durable_elsewhere() {
    // Promise: entries the embedder has not made durable on its own stay in the log, whatever the snapshots say.
    let mut plan = tiny();
    plan.durable_elsewhere = BOOTSTRAP_INDEX + 10;
    let (mut world, leader) = cluster(plan);
    put(&mut world, leader, 60).unwrap();
    world.run(200).unwrap();
    for member in 1..=3 {
        let status = world.status(member).unwrap();
        assert!(status.snapshot.unwrap().index > 40);
        assert_eq!(
            status.first_index,
            BOOTSTRAP_INDEX + 10 - 2 + 1,
            "member {member}"
        );
    }
}

/// One member misses so much that it needs a snapshot, whose fetch fails a few times.
fn lost_fetches(mutant: Option<Mutant>) -> Result<Cluster, Violation> {
    let mut plan = tiny();
    plan.options.mutant = mutant;
    let (mut world, leader) = cluster(plan);
    let late = (1..=3).find(|member| *member != leader).unwrap();
    world.isolate(late);
    put(&mut world, leader, 50)?;
    world.run(200)?;
    world.lose_fetches(1000);
    world.heal();
    world.run(500)?;
    assert_eq!(
        world.counts().snapshots_installed,
        0,
        "every fetch was lost"
    );
    world.lose_fetches(0);
    world.run_until(1_000, |world| {
        world
            .machine(late)
            .is_some_and(|machine| machine.count == 50)
    })?;
    assert!(world.counts().snapshots_installed > 0);
    Ok(world)
}

#[test]
fn a_snapshot_that_never_arrived_is_offered_again() {
    // Promise: a failed transfer is reported to raft, so the member is not left behind for ever.
    lost_fetches(None).unwrap();
    let broken = lost_fetches(Some(Mutant::OmitSnapshotReport)).err();
    assert_eq!(
        broken.map(|violation| violation.rule),
        Some("R11"),
        "the check would find a silent failure"
    );
}

#[test]
fn a_receiver_that_dies_or_whose_answer_is_lost_is_tried_again() {
    // Promise: neither a receiver that crashes in the middle nor a lost acknowledgement stops its catching up.
    let (mut world, leader) = cluster(tiny());
    let late = (1..=3).find(|member| *member != leader).unwrap();
    world.isolate(late);
    put(&mut world, leader, 50).unwrap();
    world.heal();
    world
        .run_until(500, |world| {
            world.status(leader).is_some_and(|status| {
                status
                    .members
                    .iter()
                    .any(|member| member.snapshot_under_way)
            })
        })
        .unwrap();
    world.crash(late).unwrap();
    world.run(300).unwrap();
    world.restart(late).unwrap();
    let before = world.counts().snapshots_installed;
    world.set_filter(Some(Box::new(move |packet: &Packet| {
        let is_lost = packet.from.member == late && packet.kind() == MessageKind::AppendAnswer;
        if is_lost {
            Verdict::Drop
        } else {
            Verdict::Deliver
        }
    })));
    world.run(400).unwrap();
    world.set_filter(None);
    world
        .run_until(1_000, |world| {
            world
                .machine(late)
                .is_some_and(|machine| machine.count == 50)
        })
        .unwrap();
    assert!(world.counts().snapshots_installed > before);
    put(&mut world, leader, 1).unwrap();
    world
        .run_until(300, |world| {
            world
                .machine(late)
                .is_some_and(|machine| machine.count == 51)
        })
        .unwrap();
}

#[test]
fn a_damaged_snapshot_is_refused_at_the_start() {
    // Promise: a snapshot that does not match its checksum never becomes the state.
    let mut store = Memory::new();
    let open = |store: &mut Memory, start: Start| {
        start::open(
            store,
            &start,
            Counter::default(),
            Options::new(1, [3; 16], 1),
        )
        .map(drop)
    };
    open(&mut store, Start::Bootstrap { members: vec![1] }).unwrap();
    open(&mut store, Start::Recover).unwrap();
    store
        .stage_chunk(BOOTSTRAP_INDEX, 1, &7u64.to_le_bytes())
        .unwrap();
    let refused = open(&mut store, Start::Recover);
    assert!(
        matches!(
            refused,
            Err(start::Error::DamagedSnapshot {
                index: BOOTSTRAP_INDEX
            })
        ),
        "{refused:?}"
    );
}

/// A replica on its own with a snapshot after every entry; its disk is the test.
struct Alone {
    replica: Replica<Counter>,
    /// Asked for and not taken yet: index and term.
    images: Vec<(u64, u64)>,
    /// Handed to the disk and not confirmed: a snapshot's batch.
    slow: Option<u64>,
}

// === impl Alone ===

impl Alone {
    /// Does everything but what it keeps: snapshots are staged late, and their batches are confirmed by the test.
    fn work(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.replica.handle(input).unwrap();
            for output in self.replica.outputs().unwrap() {
                match output {
                    Output::Persist { number, batch } if batch.snapshot.is_some() => {
                        self.slow = Some(number);
                    }
                    Output::Persist { number, .. } if self.slow.is_none() => {
                        inputs.push(Input::Persisted(number));
                    }
                    Output::TakeSnapshot(freeze) => self.images.push((freeze.index, freeze.term)),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn a_snapshot_on_its_way_to_the_disk_is_not_taken_again() {
    // Promise: while its own snapshot is being written no second one of that index is staged into its place; after it
    // the next one is (the control).
    let members = vec![1];
    let options = Options {
        snapshot_every_entries: 1,
        ..Options::new(1, [1; 16], 1)
    };
    let start = Start::Bootstrap { members };
    let replica = start::open(&mut Memory::new(), &start, Counter::default(), options).unwrap();
    let mut alone = Alone {
        replica,
        images: Vec::new(),
        slow: None,
    };
    alone.work(Input::Tick);
    let (index, term) = alone.images.pop().expect("the leader's first entry is due");
    let meta = SnapshotMeta {
        index,
        term,
        membership: Membership {
            voters: vec![1],
            ..Membership::default()
        },
        chunks: 0,
        crc: 0,
    };
    alone.work(Input::SnapshotTaken(meta));
    let number = alone.slow.expect("it goes to the disk");
    for _ in 0..5 {
        alone.work(Input::Tick);
    }
    assert_eq!(alone.images, [], "the same state again");
    alone.slow = None;
    alone.work(Input::Persisted(number));
    alone.work(Input::Propose(CounterLoad::default().next_number()));
    assert!(alone.images.iter().all(|(next, _)| *next > index) && !alone.images.is_empty());
}

#[test]
fn large_entries_make_a_snapshot_due_by_their_bytes() {
    // Promise: a log of few large entries is not kept in memory until there are many; the control is the same log with
    // a higher limit.
    for (snapshot_every_bytes, is_due) in [(200, true), (20_000, false)] {
        let options = Options {
            snapshot_every_bytes,
            ..Options::new(1, [1; 16], 1)
        };
        let start = Start::Bootstrap { members: vec![1] };
        let replica = start::open(&mut Memory::new(), &start, Counter::default(), options).unwrap();
        let mut alone = Alone {
            replica,
            images: Vec::new(),
            slow: None,
        };
        alone.work(Input::Tick);
        let mut load = CounterLoad::default();
        for _ in 0..20 {
            alone.work(Input::Propose(load.next_number()));
        }
        assert_eq!(!alone.images.is_empty(), is_due);
    }
}
