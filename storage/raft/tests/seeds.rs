//! Many seeds of everything going wrong at once, with a small counter as the machine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use berth_raft::simulation::counter::CounterLoad;
use berth_raft::simulation::plan::Plan;
use berth_raft::simulation::workload::Violation;
use berth_raft::simulation::world::{Counts, World};

/// Moments of trouble per seed.
const MOMENTS: u64 = 4_000;

fn run(seed: u64, plan: Plan) -> Result<(u64, Counts, usize), Violation> {
    let mut world = World::new(seed, plan, CounterLoad::default())?;
    world.run(MOMENTS)?;
    world.check_liveness()?;
    Ok((
        world.trace_hash(),
        world.counts(),
        world.workload.acknowledged(),
    ))
}

fn all(seeds: std::ops::Range<u64>, plan: impl Fn(u64) -> Plan) -> Vec<Counts> {
    let mut counts = Vec::new();
    for seed in seeds {
        match run(seed, plan(seed)) {
            Ok((_, count, acknowledged)) => {
                assert!(acknowledged > 0, "seed {seed} acknowledged nothing");
                counts.push(count);
            }
            Err(violation) => panic!("seed {seed}: {violation}\n{:?}", plan(seed)),
        }
    }
    counts
}

#[test]
fn three_members_survive_loss_crash_and_restart() {
    // Promise: R1 to R9 hold through 120 seeds of loss, doubling, overtaking, partitions, crashes and restarts on disks
    // that forget, with absurdly small snapshot thresholds; afterwards the cluster goes on (R11).
    let counts = all(0..120, |seed| Plan::drawn(seed, 3));
    // The seeds must have seen what they claim to survive.
    let sum = |of: fn(&Counts) -> u64| counts.iter().map(of).sum::<u64>();
    assert!(sum(|c| c.crashes) > 300, "crashes: {}", sum(|c| c.crashes));
    assert!(
        sum(|c| c.snapshots_taken) > 1_000,
        "snapshots: {}",
        sum(|c| c.snapshots_taken)
    );
    assert!(
        sum(|c| c.snapshots_installed) > 100,
        "installed: {}",
        sum(|c| c.snapshots_installed)
    );
    assert!(
        sum(|c| c.elections) > 300,
        "elections: {}",
        sum(|c| c.elections)
    );
    assert!(sum(|c| c.reads) > 1_000, "reads: {}", sum(|c| c.reads));
}

#[test]
fn members_come_and_go_under_faults() {
    // Promise: the same holds while learners are added, promoted in place of voters, and voters are removed.
    let counts = all(1_000..1_060, |seed| Plan::drawn_with_changes(seed, 3));
    let changes: u64 = counts.iter().map(|count| count.changes).sum();
    assert!(changes > 300, "changes: {changes}");
}

#[test]
fn five_members_survive_too() {
    // Promise: the same holds with five members, two of which may be away.
    all(2_000..2_030, |seed| Plan::drawn(seed, 5));
}

#[test]
fn one_member_survives_its_own_crashes() {
    // Promise: a lone replica loses nothing it acknowledged when the power goes, again and again.
    let mut plan = Plan::drawn(7, 1);
    plan.crash_per_mille = 5;
    plan.restart_per_mille = 100;
    plan.propose_per_mille = 300;
    let counts = all(3_000..3_020, |_| plan.clone());
    assert!(counts.iter().map(|count| count.crashes).sum::<u64>() > 100);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    // Promise: a seed is the whole bug report: two runs of it are the same, message by message (V5).
    for seed in [1, 33, 1_033] {
        let plan = || Plan::drawn_with_changes(seed, 3);
        let first = run(seed, plan()).unwrap();
        assert_eq!(first.0, run(seed, plan()).unwrap().0, "seed {seed}");
        assert_ne!(
            first.0,
            run(seed + 1, plan()).unwrap().0,
            "the hash sees nothing"
        );
    }
}
