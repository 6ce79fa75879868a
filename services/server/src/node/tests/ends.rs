//! What ends: DELs and GCs, their order and repeats.

use super::world::{Play, told};
use crate::engine::samples::*;
use crate::failure::Failure;
use crate::node::Collect;
use berth_domain::command::Command;
use berth_domain::id::*;
use berth_domain::outcome::Refusal;

/// Promise: a DEL that is sent again while it is in hand shares the first's release; those that were invoked later share
/// one of their own, with the latest's time, because the ADDs that it ends are others (the control).
#[test]
fn repeated_dels_share() {
    let mut play = Play::new();
    let mut added = play.add(add("c1", "n1"));
    play.grant_all(&["10.0.0.1"]);
    assert_eq!(play.settle(), ["bind"]);
    assert!(told(&mut added).expect("told").is_ok());
    let mut later_by = |later_ms| {
        let mut request = del("c1", "n1");
        request.invoked_at_ms += later_ms;
        play.del(request)
    };
    let mut first = [later_by(0), later_by(0)];
    let mut later = [later_by(1), later_by(3), later_by(2)];
    assert_eq!(play.settle(), ["release"]);
    for waiting in &mut first {
        assert!(told(waiting).expect("told").expect("released").released);
    }
    assert!(later.iter_mut().all(|waiting| told(waiting).is_none()));
    assert_eq!(play.settle(), ["release"]);
    for waiting in &mut later {
        assert!(!told(waiting).expect("told").expect("released").released);
    }
    assert!(play.settle().is_empty());
    // The latest's time is the tombstone's.
    let mut again = add("c1", "n1");
    again.invoked_at_ms = del("c1", "n1").invoked_at_ms + 3;
    let mut again = play.add(again);
    play.grant_all(&["10.0.0.2"]);
    play.settle();
    let refused = told(&mut again).expect("told").expect_err("refused");
    assert!(matches!(
        refused,
        Failure::Refused(Refusal::Tombstone { .. })
    ));
}

/// Promise: a DEL behind an ADD that the ledger may have comes after it and ends it.
#[test]
fn a_del_keeps_its_place_behind_a_proposed_add() {
    let mut play = Play::new();
    let mut added = play.add(add("c1", "n1"));
    play.grant_all(&["10.0.0.1"]);
    let mut deleted = play.del(del("c1", "n1"));
    assert_eq!(play.settle(), ["bind"], "the DEL waits");
    assert!(told(&mut added).expect("told").is_ok());
    assert_eq!(play.settle(), ["release"]);
    assert!(
        told(&mut deleted)
            .expect("told")
            .expect("released")
            .released
    );
    assert_eq!(play.ledger.allocations_len(), 0);
}

/// Promise: a DEL ends an ADD that nothing was proposed for, at once; the address that comes for it goes back.
#[test]
fn a_del_ends_an_add_that_only_waits() {
    let mut play = Play::new();
    let mut added = play.add(add("c1", "n1"));
    let asks = play.asks();
    let mut deleted = play.del(del("c1", "n1"));
    let refused = told(&mut added).expect("told").expect_err("refused");
    assert!(matches!(
        refused,
        Failure::Refused(Refusal::Tombstone { .. })
    ));
    play.grant(asks[0].0, &["10.0.0.1"]);
    assert_eq!(play.given_back(), [ip("10.0.0.1")]);
    assert_eq!(play.settle(), ["release"]);
    assert!(
        !told(&mut deleted)
            .expect("told")
            .expect("released")
            .released
    );
    // A DEL that was invoked before the ADD leaves it alone.
    let mut later = add("c1", "n1");
    later.invoked_at_ms = 30;
    let mut added = play.add(later);
    let mut old = play.del(del("c1", "n1"));
    play.grant_all(&["10.0.0.1"]);
    play.settle();
    assert!(told(&mut added).expect("told").is_ok());
    play.settle();
    assert!(!told(&mut old).expect("told").expect("released").released);
}

/// Promise: a GC ends what is not listed, of its network only, and leaves what was bound after it began.
#[test]
fn a_collect_ends_what_is_stale() {
    let mut play = Play::new();
    for (number, container) in ["stale", "valid", "young"].into_iter().enumerate() {
        let mut request = add(container, "n1");
        request.invoked_at_ms = if container == "young" { 100 } else { 10 };
        drop(play.add(request));
        play.grant_all(&[&format!("10.0.0.{}", number + 1)]);
        play.settle();
    }
    let mut other = play.collect(collect("other"));
    assert_eq!(told(&mut other).expect("told").expect("done").released, 0);
    let mut own = play.collect(collect("net"));
    let proposed = play.proposed();
    assert_eq!(proposed.len(), 1);
    let Command::Release(release) = &proposed[0].0.command else {
        panic!("{proposed:?}");
    };
    assert_eq!(
        (release.key.container.as_str(), release.generation.is_some()),
        ("stale", true)
    );
    let answer = play.apply(proposed[0].0.command.clone());
    play.answer(proposed[0].1.clone(), answer);
    assert_eq!(told(&mut own).expect("told").expect("done").released, 1);
    assert_eq!(play.ledger.allocations_len(), 2);
}

/// Promise: a DEL that waits behind another until its caller has gone is not proposed; one whose caller is still there is
/// (the control).
#[test]
fn a_del_without_callers_is_not_proposed() {
    let mut play = Play::new();
    let mut first = play.del(del("c1", "n1"));
    let mut later = del("c1", "n1");
    later.invoked_at_ms += 1;
    later.deadline_ms = 1_000;
    let mut later = play.del(later);
    play.clock.advance(751);
    assert_eq!(play.settle(), ["release"]);
    assert!(told(&mut first).expect("told").is_ok());
    assert!(play.settle().is_empty());
    let failure = told(&mut later).expect("told").expect_err("given up");
    assert!(matches!(failure, Failure::Busy { .. }), "{failure}");

    let _first = play.del(del("c1", "n1"));
    let mut patient = del("c1", "n1");
    patient.invoked_at_ms += 1;
    let mut patient = play.del(patient);
    play.clock.advance(751);
    assert_eq!(play.settle(), ["release"]);
    assert_eq!(play.settle(), ["release"]);
    assert!(told(&mut patient).expect("told").is_ok());
}

/// Promise: GCs of one node that come while one is in hand share a release per attachment, and only one of them counts it.
#[test]
fn repeated_collects_share() {
    let mut play = Play::new();
    let mut request = add("stale", "n1");
    request.invoked_at_ms = 10;
    drop(play.add(request));
    play.grant_all(&["10.0.0.1"]);
    play.settle();
    let mut later_by = |later_ms| {
        let mut request = collect("net");
        request.invoked_at_ms += later_ms;
        play.collect(request)
    };
    let mut waiting = [0, 0, 1, 2, 3].map(&mut later_by);
    // A DEL between them is no GC's.
    let mut deleted = play.del(del("stale", "n1"));
    let mut latest = play.collect(collect("net"));
    assert_eq!(play.settle(), ["release"]);
    assert_eq!(play.settle(), ["release"]);
    assert_eq!(play.settle(), ["release"]);
    assert!(play.settle().is_empty());
    let counts = waiting
        .each_mut()
        .map(|waiting| told(waiting).expect("told").expect("done").released);
    assert_eq!(counts, [1, 0, 0, 0, 0]);
    assert_eq!(told(&mut latest).expect("told").expect("done").released, 0);
    assert!(
        !told(&mut deleted)
            .expect("told")
            .expect("released")
            .released
    );
}

fn collect(network: &str) -> Collect {
    Collect {
        principal: local(),
        trace_id: None,
        cluster: ClusterName::new("one").expect("a name"),
        network: NetworkName::new(network).expect("a name"),
        node: NodeName::new("n1").expect("a name"),
        boot: boot(),
        invoked_at_ms: 50,
        valid: [(
            ContainerId::new("valid").expect("a name"),
            InterfaceName::new("eth0").expect("a name"),
        )]
        .into(),
        deadline_ms: 10_000,
    }
}
