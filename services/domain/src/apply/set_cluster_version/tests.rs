//! The version only rises, and what needs a higher one waits for it.

use crate::apply::testing::*;
use crate::command::{Command, Repair, SetClusterVersion};
use crate::event::EventGroup;
use crate::outcome::{Outcome, Refusal};
use crate::version::{APPLIES, BASE, CARE, ClusterVersion, VersionRange};
use crate::{Ledger, invariant};

fn set(to: ClusterVersion) -> Command {
    Command::SetClusterVersion(SetClusterVersion { to })
}

fn repair() -> Command {
    Command::Repair(Repair::FreeAddress {
        address: ip("10.0.0.5"),
    })
}

/// Promise: a command that needs a higher version is refused with both numbers, and takes no revision; after the raise it
/// is decided.
#[test]
fn a_newer_command_waits_for_its_version() {
    let mut world = World::new();
    let refused = world.refused(repair());
    assert_eq!(
        refused,
        Refusal::VersionTooLow {
            command: "repair",
            needed: CARE,
            current: BASE
        }
    );
    assert!(
        refused
            .to_string()
            .contains("needs cluster version 2, and the cluster is at 1")
    );
    world.raise(CARE);
    let decided = world.refused(repair());
    assert!(matches!(decided, Refusal::NotBroken { .. }), "{decided:?}");
}

/// Promise: the version never goes back, with the reason said; the same one again changes nothing.
#[test]
fn it_does_not_go_back() {
    let mut world = World::new();
    world.raise(CARE);
    let revision = world.ledger.revision();
    let refused = world.refused(set(BASE));
    assert!(
        refused.to_string().contains("does not go back to 1"),
        "{refused}"
    );
    assert_eq!(world.done(set(CARE)), Outcome::Done);
    assert_eq!(world.ledger.revision(), revision);
    assert_eq!(world.ledger.version(), CARE);
}

/// Promise (H2): a raise is in the history, and its replay gives the version.
#[test]
fn the_history_has_it() {
    let mut world = World::new();
    world.raise(CARE);
    let last: &EventGroup = world.groups.last().expect("its group");
    assert_eq!(last.cause, "set-cluster-version");
    let start = Ledger::new(world.ledger.cluster().clone());
    invariant::replays(&start, &world.groups, &world.ledger).expect("the same ledger");
}

/// Promise: a ledger at the first version has the digest that the first release gives it; the version is in the digest.
#[test]
fn the_version_is_in_the_digest() {
    let mut world = World::new();
    let before = world.ledger.digest();
    world.raise(CARE);
    assert_ne!(before, world.ledger.digest());
}

/// Promise: the raise is written at the version that it sets, everything else at the cluster's.
#[test]
fn a_raise_is_of_the_new_version() {
    assert_eq!(set(CARE).written_at(BASE), CARE);
    assert_eq!(repair().written_at(CARE), CARE);
    assert_eq!(
        set(CARE).since(),
        BASE,
        "it goes ahead of the version that it sets"
    );
}

/// Promise: this program applies the first release's log, and every command that it knows lies in its range.
#[test]
fn the_range_is_whole() {
    assert!(APPLIES.contains(BASE) && APPLIES.contains(repair().since()));
    assert!(!VersionRange::UNSTATED.contains(CARE));
    assert!(!APPLIES.contains(ClusterVersion(APPLIES.highest.0 + 1)));
}
