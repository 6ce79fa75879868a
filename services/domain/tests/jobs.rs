//! Jobs beside a naive cloud, under random plans, faults, crashes and calls that take effect long after everybody gave up on them.

#[path = "jobs/cloud.rs"]
mod cloud;
#[path = "jobs/driver.rs"]
mod driver;
#[path = "jobs/world.rs"]
mod world;

use proptest::prelude::*;
use world::{Raw, World};

/// Steps in a case.
const LENGTH: usize = 250;

fn run(steps: &[Raw]) -> World {
    let mut world = World::new();
    for raw in steps {
        world.step(*raw);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Promise: whatever fails, gets lost or comes late, no address is used that the cloud has not on that ENI, none that is free
    /// is on an ENI of ours, and once everything has ended cloud and ledger have the same ENIs with the same addresses.
    #[test]
    fn cloud_and_ledger_agree(steps in proptest::collection::vec(any::<Raw>(), LENGTH)) {
        let mut world = run(&steps);
        world.settle();
        prop_assert_eq!(world.wrong(), Vec::<String>::new());
        prop_assert_eq!(world.leaked(), Vec::<String>::new());
        prop_assert_eq!(world.ledger.jobs().count(), 0);
    }
}

/// Promise (negative control): a driver that takes "refused" for the truth while an earlier call may still take effect is found.
#[test]
fn a_hasty_driver_is_found() {
    let config = ProptestConfig {
        failure_persistence: None,
        // One is enough; nobody reads it.
        max_shrink_iters: 0,
        ..ProptestConfig::with_cases(2_000)
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let steps = proptest::collection::vec(any::<Raw>(), LENGTH);
    let found = runner.run(&steps, |steps| {
        let mut world = World::new();
        world.forgets_doubts = true;
        steps.iter().for_each(|raw| world.step(*raw));
        world.settle();
        match world.leaked().is_empty() && world.wrong().is_empty() {
            true => Ok(()),
            false => Err(TestCaseError::fail("found")),
        }
    });
    assert!(found.is_err(), "2,000 cases without a leak");
}

/// Promise: the cases reach every step, with ends of every kind; else the test above shows nothing.
#[test]
fn every_step_is_reached() {
    let config = ProptestConfig::with_cases(400);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..config
    });
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let steps = proptest::collection::vec(any::<Raw>(), LENGTH);
    let run = runner.run(&steps, |steps| {
        let mut world = run(&steps);
        world.settle();
        seen.borrow_mut().append(&mut world.seen);
        Ok(())
    });
    run.expect("no case fails");
    let seen: Vec<String> = seen.into_inner().into_iter().collect();
    let expected: Vec<&str> = include_str!("jobs/seen.txt").lines().collect();
    let missing: Vec<&&str> = expected
        .iter()
        .filter(|one| !seen.iter().any(|seen| seen == **one))
        .collect();
    assert!(
        missing.is_empty(),
        "never seen: {missing:?}; seen: {seen:#?}"
    );
}
