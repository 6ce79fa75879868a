//! Three shipped replicas with the shipped ledger, driven through seeds of loss, crash and restart on disks that forget.
//!
//! One seed again: `BERTH_SEED=17 cargo test -p berth-integration --test simulated_cluster -- --nocapture`.
//! More seeds: `BERTH_FAULT_SEEDS=300`.

use berth_raft::simulation::plan::Plan;
use berth_raft::simulation::workload::Violation;
use berth_raft::simulation::world::{Counts, World};
use berth_raft::start::Start;
use berth_testkit::simulation::{LedgerWorkload, Seen, Trick};

const SEEDS: u64 = 100;
/// Moments of trouble per seed.
const MOMENTS: u64 = 2_000;

fn run(seed: u64, trick: Option<Trick>) -> Result<(Counts, Seen, u64), Violation> {
    let plan = Plan::drawn(seed, 3);
    let mut world = World::new(seed, plan, LedgerWorkload::new(seed, trick))?;
    world.run(MOMENTS)?;
    world.check_liveness()?;
    Ok((world.counts(), world.workload.seen(), world.trace_hash()))
}

/// A number from the environment; none = not set.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
    )
}

#[test]
fn no_address_is_lost_or_given_twice_through_a_hundred_seeds() {
    // Promise: under loss, doubling, partitions, crashes and restarts, R1 to R9, A1 to A17 and H1 and H3 hold on every
    // replica after every entry; healed, the cluster goes on; and the seeds really saw all of this.
    let (seeds, is_whole) = match (number("BERTH_SEED"), number("BERTH_FAULT_SEEDS")) {
        (Some(seed), _) => (seed..seed + 1, false),
        (None, more) => (0..more.unwrap_or(SEEDS).max(SEEDS), true),
    };
    let run_seeds = seeds.end - seeds.start;
    let (mut counts, mut seen, mut quiet) = (Counts::default(), Seen::default(), 0);
    for seed in seeds {
        let (count, saw, _) = run(seed, None).unwrap_or_else(|broken| {
            panic!("BERTH_SEED={seed}: {broken}");
        });
        quiet += u64::from(saw.bound == 0);
        counts.crashes += count.crashes;
        counts.elections += count.elections;
        counts.snapshots_installed += count.snapshots_installed;
        counts.applied += count.applied;
        seen.bound += saw.bound;
        seen.repeated += saw.repeated;
        seen.released += saw.released;
        seen.refused += saw.refused;
        seen.statics_kept += saw.statics_kept;
    }
    println!("{counts:?} {seen:?}, {quiet} seeds too troubled to bind anything");
    if is_whole {
        assert!(quiet < run_seeds / 10, "{quiet} seeds bound nothing");
        assert!(counts.crashes > 200, "{counts:?}");
        assert!(counts.snapshots_installed > 50, "{counts:?}");
        assert!(seen.bound > 4_000 && seen.released > 2_500, "{seen:?}");
        assert!(seen.repeated > 500 && seen.refused > 500, "{seen:?}");
        assert!(seen.statics_kept > 400, "{seen:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    // Promise: a seed is the whole bug report, ledger and pods included.
    let first = run(5, None).expect("a clean run");
    let second = run(5, None).expect("a clean run");
    assert_eq!(first.2, second.2);
    assert_eq!(first.1, second.1);
    assert_ne!(
        first.2,
        run(6, None).expect("a clean run").2,
        "the hash sees nothing"
    );
}

#[test]
fn a_sandbox_that_outlives_its_delete_is_seen() {
    // Promise (negative control of A1): the oracle finds an address that is used by two.
    let broken = (0..20).find_map(|seed| run(seed, Some(Trick::KeepUsingAfterDelete)).err());
    assert_eq!(broken.expect("it is found within 20 seeds").rule, "A1");
}

#[test]
fn a_repeat_with_other_addresses_is_seen() {
    // Promise (negative control of A4): the oracle finds a repeat that is answered differently.
    let broken = (0..20).find_map(|seed| run(seed, Some(Trick::SwapAnswers)).err());
    assert_eq!(broken.expect("it is found within 20 seeds").rule, "A4");
}

#[test]
fn a_wiped_replica_cannot_vote_under_its_old_id() {
    // Promise: one of three loses its directory. Under its old id it is not heard, so with one more member down the
    // cluster does not serve; the member that kept its promises brings it back.
    let mut plan = Plan::calm(3);
    plan.propose_per_mille = 200;
    let mut world = World::new(11, plan, LedgerWorkload::new(11, None)).expect("a world");
    world.run(2_000).expect("a clean run");
    let wiped = 3;
    world.wipe(wiped).expect("the directory is gone");
    assert!(
        world.start(wiped, &Start::Recover).is_err(),
        "an empty store must not recover"
    );
    world
        .start(wiped, &Start::Join)
        .expect("it starts, but nobody knows its store");
    world.run(1_000).expect("a clean run");
    let revision = world
        .machine(wiped)
        .map(|machine| machine.ledger().revision().0);
    assert!(
        matches!(revision, None | Some(0)),
        "it took part again: {revision:?}"
    );
    world.crash(2).expect("a crash");
    let before = world.status(1).expect("member 1 runs").commit;
    world.run(3_000).expect("a clean run");
    assert_eq!(world.leader(), None, "the wiped member made a quorum");
    assert_eq!(world.status(1).expect("member 1 runs").commit, before);
    world.restart(2).expect("it kept its promises");
    world.run(3_000).expect("a clean run");
    assert!(world.leader().is_some());
    assert!(world.status(1).expect("member 1 runs").commit > before);
}
