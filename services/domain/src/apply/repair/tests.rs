//! What is broken by hand is found, planned for and mended; what is well is left alone.

use crate::apply::testing::*;
use crate::command::{Command, DeleteClaim, Repair};
use crate::id::*;
use crate::invariant;
use crate::outcome::Refusal;
use crate::repair::{self, Finding};
use crate::row::*;
use crate::version::CARE;
use std::sync::Arc;

fn world() -> World {
    let mut world = World::new();
    world.raise(CARE);
    world.bind(world.add("a", "10.0.0.5"));
    world.claim("10.0.0.9", Policy::Delete);
    world
}

/// Without the check of every rule that [`World::apply`] makes: the ledger is broken.
fn mend(world: &mut World, finding: &Finding) -> Result<(), Refusal> {
    let header = crate::command::Header {
        ledger_time_ms: world.now_ms,
        wall_time_ms: world.now_ms,
    };
    let proposals = vec![proposal(finding.command.clone(), "")];
    let mut applied = world.ledger.apply(&header, proposals);
    applied.answers.remove(0).result.map(drop)
}

fn plan(world: &World) -> Vec<Finding> {
    repair::plan(&world.ledger, &|_| false, 100)
}

fn take_node_away(world: &mut World) {
    let id = world.nodes[0];
    let change = Change::Node {
        id,
        before: world.ledger.node(id).cloned(),
        after: None,
    };
    world.ledger.install(&[change]);
}

/// Promise: an allocation on a node that is not there is found, ends by the plan, and its address cools.
#[test]
fn an_allocation_without_its_node() {
    let mut world = world();
    assert_eq!(plan(&world), [], "all is well before");
    take_node_away(&mut world);
    let findings = plan(&world);
    assert_eq!(findings.len(), 1, "{findings:?}");
    mend(&mut world, &findings[0]).expect("mended");
    assert!(matches!(
        world.state("10.0.0.5"),
        Some(AddressState::Cooling { .. })
    ));
    assert_eq!(plan(&world), []);
    assert_eq!(invariant::check_all(&world.ledger), []);
    // What is mended is not mended again.
    let again = mend(&mut world, &findings[0]).expect_err("refused");
    assert!(matches!(again, Refusal::NotBroken { .. }), "{again:?}");
}

/// Promise: addresses that are warm, bound or kept for what is not there are found, and cool.
#[test]
fn addresses_for_nobody() {
    let strays = [
        AddressState::Idle {
            node: NodeId(999),
            eni: None,
        },
        AddressState::Bound {
            node: NodeId(999),
            key: Arc::new(key("nobody")),
            generation: Generation(1),
        },
        AddressState::Held {
            claim: ClaimId(999),
        },
    ];
    for state in strays {
        let mut world = world();
        let change = Change::address(world.vswitch, ip("10.0.0.77"), None, Some(state.clone()));
        if matches!(state, AddressState::Bound { .. }) {
            // A row can only be bound to an attachment that there is: one that has another address.
            let key = world.ledger.allocation(&key("a")).expect("a").key.clone();
            let state = AddressState::Bound {
                node: world.nodes[0],
                key,
                generation: Generation(1),
            };
            let change = Change::address(world.vswitch, ip("10.0.0.77"), None, Some(state));
            world.ledger.install(&[change]);
        } else {
            world.ledger.install(&[change]);
        }
        assert!(
            !invariant::check_all(&world.ledger).is_empty(),
            "{state:?} breaks a rule"
        );
        let findings = plan(&world);
        assert_eq!(findings.len(), 1, "{state:?}: {findings:?}");
        mend(&mut world, &findings[0]).expect("mended");
        assert_eq!(plan(&world), []);
        assert_eq!(invariant::check_all(&world.ledger), [], "{state:?}");
    }
}

/// Promise: a claim that ends with its pod, has no holder, and whose pod is said to be gone, is ended; never one that was
/// bound since, has another policy, or whose pod nobody said to be gone.
#[test]
fn a_claim_without_its_pod() {
    let mut world = world();
    assert_eq!(plan(&world), [], "nobody said that the pod is gone");
    let findings = repair::plan(&world.ledger, &|_| true, 100);
    assert_eq!(findings.len(), 1);
    let mut bound = World {
        ledger: world.ledger.clone(),
        groups: Vec::new(),
        ..world
    };
    bound.bind(bound.add_static("b", "10.0.0.9"));
    let refused = mend(&mut bound, &findings[0]).expect_err("it has a holder");
    assert!(matches!(refused, Refusal::NotBroken { .. }));
    bound.release(bound.del("b"));
    let refused = mend(&mut bound, &findings[0]).expect_err("it was bound since");
    assert!(matches!(refused, Refusal::NotBroken { .. }));
    world.groups = bound.groups;
    mend(&mut world, &findings[0]).expect("mended");
    assert!(matches!(
        world.state("10.0.0.9"),
        Some(AddressState::Cooling { .. })
    ));
    let id = world.claim("10.0.0.10", Policy::Never);
    assert_eq!(
        repair::plan(&world.ledger, &|_| true, 100),
        [],
        "it outlives its pod"
    );
    let never = Command::Repair(Repair::EndClaim {
        claim: id,
        generation: Generation(id.0),
    });
    assert!(matches!(world.refused(never), Refusal::NotBroken { .. }));
    world.done(Command::DeleteClaim(DeleteClaim {
        claim: id,
        override_holder: false,
        policy_fired: false,
    }));
}

/// Promise (negative control): a repair of what is well is refused and changes nothing.
#[test]
fn what_is_well_is_left_alone() {
    let mut world = world();
    let row = world.ledger.allocation(&key("a")).expect("a").clone();
    for repair in [
        Repair::EndAllocation {
            key: key("a"),
            generation: row.generation,
        },
        Repair::FreeAddress {
            address: ip("10.0.0.5"),
        },
        Repair::FreeAddress {
            address: ip("10.0.0.200"),
        },
    ] {
        let refused = world.refused(Command::Repair(repair));
        assert!(matches!(refused, Refusal::NotBroken { .. }), "{refused:?}");
    }
}
