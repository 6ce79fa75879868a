//! The checks find what they are there for: each defect built in on purpose breaks the rule that names it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use berth_raft::options::Mutant;
use berth_raft::simulation::counter::CounterLoad;
use berth_raft::simulation::plan::Plan;
use berth_raft::simulation::workload::Violation;
use berth_raft::simulation::world::World;

/// A mutant must be found within so many seeds (goal G10: 500; these are the easy ones).
const SEEDS: u64 = 60;

fn run(seed: u64, mutant: Mutant) -> Result<(), Violation> {
    let mut plan = Plan::drawn(seed, 3);
    plan.options.mutant = Some(mutant);
    let mut world = World::new(seed, plan, CounterLoad::default())?;
    world.run(3_000)?;
    world.check_liveness()
}

/// A cluster of one that takes members in.
fn grow(seed: u64, mutant: Option<Mutant>) -> Result<(), Violation> {
    let mut plan = Plan::drawn_with_changes(seed, 1);
    plan.options.mutant = mutant;
    World::new(seed, plan, CounterLoad::default())?.run(3_000)
}

#[test]
fn a_lone_voter_that_leads_before_its_term_is_durable_is_found() {
    // Promise: a learner never hears of a term that its only voter could lead a second time, with other entries (R7).
    let early = Some(Mutant::LeadBeforePersist);
    let found = (0..SEEDS).find_map(|seed| Some((seed, grow(seed, early).err()?)));
    let (seed, violation) = found.expect("it is found");
    assert_eq!(violation.rule, "R7", "{violation}");
    assert_eq!(
        grow(seed, None),
        Ok(()),
        "the control: it is the mutant's doing"
    );
}

fn found(mutant: Mutant) -> Option<Violation> {
    (0..SEEDS).find_map(|seed| run(seed, mutant).err())
}

fn is_found(mutant: Mutant, rules: &[&str]) {
    let violation =
        found(mutant).unwrap_or_else(|| panic!("{mutant:?} was not found in {SEEDS} seeds"));
    assert!(
        rules.contains(&violation.rule),
        "{mutant:?} broke {violation}"
    );
}

#[test]
fn acknowledging_before_the_disk_is_found() {
    // Promise: R7's check is awake (m01).
    is_found(Mutant::SendBeforePersist, &["R7"]);
}

#[test]
fn reading_without_a_quorum_is_found() {
    // Promise: R9's check is awake (m06).
    is_found(Mutant::ReadWithoutQuorum, &["R9"]);
}

#[test]
fn answering_a_read_before_its_index_is_applied_is_found() {
    // Promise: R9's check is awake (m21).
    is_found(Mutant::ReadBeforeApplied, &["R9"]);
}

#[test]
fn a_restart_that_skips_the_replay_is_found() {
    // Promise: a state that lost entries is noticed (m18).
    is_found(Mutant::ForgetReplay, &["R5", "H2"]);
}

#[test]
fn a_snapshot_transfer_nobody_reports_is_found() {
    // Promise: R11's check is awake (m11).
    is_found(Mutant::OmitSnapshotReport, &["R11"]);
}

#[test]
fn a_commit_index_written_before_its_entries_is_found() {
    // Promise: a batch between two Readies never says more than the log on the disk has (a defect once made here).
    is_found(Mutant::HardStateAhead, &["R8"]);
}
