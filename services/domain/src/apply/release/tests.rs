use crate::apply::testing::*;
use crate::command::*;
use crate::id::*;
use crate::outcome::{Outcome, Refusal};
use crate::row::{AddressState, ClaimState, Policy};

/// Promise (A6): a DEL of an unknown sandbox succeeds, and a repeated one takes no revision.
#[test]
fn a_del_is_idempotent() {
    let mut world = World::new();
    assert!(!world.release(world.del("a")));
    assert!(world.ledger.tombstone(&key("a")).is_some());
    let revision = world.ledger.revision();
    assert!(!world.release(world.del("a")));
    assert_eq!(world.ledger.revision(), revision);
    world.now_ms += 1;
    world.bind(world.add("a", "10.0.0.5"));
    world.now_ms += 1;
    let del = world.del("a");
    assert!(world.release(del.clone()));
    world.now_ms += COOLING_MS;
    world.expire();
    world.bind(world.add("b", "10.0.0.5"));
    let revision = world.ledger.revision();
    assert!(!world.release(del), "the address has another holder by now");
    assert_eq!(world.ledger.revision(), revision);
}

/// Promise: a later DEL raises the tombstone, so that an ADD between the two comes too late as well.
#[test]
fn a_later_del_counts() {
    let mut world = World::new();
    world.release(world.del("a"));
    world.now_ms += 10;
    let between = world.add("a", "10.0.0.5");
    world.now_ms += 10;
    world.release(world.del("a"));
    let refusal = world.refused(Command::Bind(between));
    assert!(matches!(refusal, Refusal::Tombstone { .. }), "{refusal}");
}

/// Promise (A7): a DEL invoked before the ADD of the same boot frees nothing; one of another boot does.
#[test]
fn a_stale_del_frees_nothing() {
    let mut world = World::new();
    let early = world.del("a");
    world.now_ms += 10;
    world.bind(world.add("a", "10.0.0.5"));
    let revision = world.ledger.revision();
    assert!(!world.release(early.clone()));
    assert_eq!(world.ledger.revision(), revision);
    let mut rebooted = early;
    rebooted.boot = name("boot-2", BootId::new);
    assert!(world.release(rebooted));
}

/// Promise: whoever lists and then releases names the bind that it saw, and no later one is released.
#[test]
fn generations_are_named() {
    let mut world = World::new();
    let bound = world.bind(world.add("a", "10.0.0.5"));
    for proof in [Proof::Collect, Proof::Admin] {
        let release = |generation| {
            Command::Release(Release {
                proof,
                generation,
                ..world.del("a")
            })
        };
        let (none, stale) = (release(None), release(Some(Generation(1))));
        let refusal = world.refused(none);
        assert!(
            matches!(
                refusal,
                Refusal::Invalid {
                    field: "generation",
                    ..
                }
            ),
            "{refusal}"
        );
        let refusal = world.refused(stale);
        assert!(
            matches!(refusal, Refusal::StaleGeneration { bound: at, .. } if at == bound.generation)
        );
    }
    let generation = Some(bound.generation);
    let admin = Release {
        proof: Proof::Admin,
        generation,
        ..world.del("a")
    };
    assert!(world.release(admin));
    world.now_ms += 1;
    let mut retried = world.add("a", "10.0.0.6");
    retried.invoked_at_ms = bound.invoked_at_ms;
    let refusal = world.refused(Command::Bind(retried));
    assert!(
        matches!(refusal, Refusal::Tombstone { .. }),
        "its own ADD does not bring it back: {refusal}"
    );
}

/// Promise: a dynamic address cools as long as its vSwitch says; on an ENI it stays there.
#[test]
fn a_dynamic_address_cools() {
    let mut world = World::new();
    world.bind(world.add("a", "10.0.0.5"));
    let mut bind = world.add("b", "10.0.0.6");
    bind.eni = Some(name("eni-1", EniId::new));
    world.bind(bind);
    world.release(world.del("a"));
    world.release(world.del("b"));
    let until_ms = world.now_ms + COOLING_MS;
    let bare = AddressState::Cooling {
        until_ms,
        node: None,
        eni: None,
    };
    let (node, eni) = (Some(world.nodes[0]), Some(name("eni-1", EniId::new)));
    assert_eq!(world.state("10.0.0.5"), Some(bare));
    assert_eq!(
        world.state("10.0.0.6"),
        Some(AddressState::Cooling {
            until_ms,
            node,
            eni
        })
    );
}

/// Promise: a static address is held for its claim by every policy; `Ttl` starts to count, and `Delete` ends it only if
/// the pod is gone.
#[test]
fn policies() {
    for (policy, pod_gone, release_at, kept) in [
        (Policy::Never, true, None, true),
        (Policy::Ttl { ttl_ms: 500 }, true, Some(500), true),
        (Policy::Delete, false, None, true),
        (Policy::Delete, true, None, false),
    ] {
        let mut world = World::new();
        let id = world.claim("10.0.0.9", policy);
        world.bind(world.add_static("a", "10.0.0.9"));
        let now_ms = world.now_ms;
        world.release(Release {
            pod_gone,
            ..world.del("a")
        });
        let claim = world.ledger.claim(id);
        assert_eq!(claim.is_some(), kept, "{policy:?}");
        if let Some(claim) = claim {
            let expected = ClaimState::Held {
                since_ms: now_ms,
                settled_at_ms: now_ms + 2_000,
                release_at_ms: release_at.map(|after| now_ms + after),
            };
            assert_eq!(claim.state, expected, "{policy:?}");
        } else {
            assert!(matches!(
                world.state("10.0.0.9"),
                Some(AddressState::Cooling { .. })
            ));
        }
    }
}

/// Promise: a runtime's word settles late, a DEL as a GC: without an agent the link may still be there (design §6, proof
/// a). An administrator's word settles at once.
#[test]
fn a_runtimes_word_settles_late() {
    for (proof, settle_ms) in [
        (Proof::Del, 2_000),
        (Proof::Collect, 2_000),
        (Proof::Admin, 0),
        (Proof::NodeDead, 0),
    ] {
        let mut world = World::new();
        let id = world.claim("10.0.0.9", Policy::Never);
        let bound = world.bind(world.add_static("a", "10.0.0.9"));
        let (now_ms, generation) = (world.now_ms, Some(bound.generation));
        world.release(Release {
            proof,
            generation,
            ..world.del("a")
        });
        let claim = world.ledger.claim(id).expect("the claim");
        let at = matches!(claim.state, ClaimState::Held { settled_at_ms, .. } if settled_at_ms == now_ms + settle_ms);
        assert!(at, "{proof:?}");
    }
}

/// Promise (A7): a second ADD of a sandbox is answered with what the first made, and counts: a DEL that was invoked
/// between the two is of the incarnation before and frees nothing.
#[test]
fn a_del_between_two_adds_frees_nothing() {
    let mut world = World::new();
    let bind = world.add("a", "10.0.0.5");
    let first = world.bind(bind.clone());
    world.now_ms += 10;
    let between = world.del("a");
    world.now_ms += 10;
    let again = Bind {
        invoked_at_ms: world.now_ms,
        ..bind
    };
    match world.done(Command::Bind(again.clone())) {
        Outcome::Bound {
            allocation,
            created: false,
        } => assert_eq!(
            (allocation.generation, &allocation.addresses),
            (first.generation, &first.addresses)
        ),
        other => panic!("{other:?}"),
    }
    let revision = world.ledger.revision();
    world.done(Command::Bind(again));
    assert_eq!(world.ledger.revision(), revision, "the same call again");
    for proof in [Proof::Del, Proof::Collect] {
        let late = Release {
            proof,
            generation: (proof == Proof::Collect).then_some(first.generation),
            ..between.clone()
        };
        assert!(!world.release(late));
    }
    assert!(world.ledger.allocation(&key("a")).is_some());
    assert!(world.release(world.del("a")), "a later one does");
}

/// Promise (A7): a DEL that is said on another node frees nothing, though the runtime there uses the same container id:
/// its own ADD was refused. A DEL that names no node is the sandbox's, wherever it is.
#[test]
fn a_del_of_another_node_frees_nothing() {
    let mut world = World::new();
    let first = world.bind(world.add("a", "10.0.0.5"));
    let mut elsewhere = world.add("a", "10.0.0.6");
    (elsewhere.node, elsewhere.boot) = (world.nodes[1], name("boot-9", BootId::new));
    let refusal = world.refused(Command::Bind(elsewhere.clone()));
    assert!(
        matches!(refusal, Refusal::ParametersChanged { .. }),
        "{refusal}"
    );
    world.now_ms += 10;
    for proof in [Proof::Del, Proof::Collect] {
        let other = Release {
            node: elsewhere.node,
            boot: elsewhere.boot.clone(),
            proof,
            generation: (proof == Proof::Collect).then_some(first.generation),
            ..world.del("a")
        };
        assert!(!world.release(other));
    }
    assert!(world.ledger.allocation(&key("a")).is_some());
    let nowhere = Release {
        node: NodeId(0),
        ..world.del("a")
    };
    assert!(world.release(nowhere));
}
