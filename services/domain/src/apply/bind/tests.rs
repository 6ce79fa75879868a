use crate::apply::testing::*;
use crate::command::*;
use crate::id::*;
use crate::outcome::{Outcome, Refusal};
use crate::row::{AddressState, ClaimState, Policy};

fn is_tombstone(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Tombstone { .. })
}

/// Promise (A4, A5): a repeat finds what the first made and changes nothing; other parameters are refused.
#[test]
fn a_repeat_has_one_effect() {
    let mut world = World::new();
    let bind = world.add("a", "10.0.0.5");
    let first = world.bind(bind.clone());
    let revision = world.ledger.revision();
    // The leader may have chosen another address for the repeat.
    let mut again = bind.clone();
    again.addresses = vec![ip("10.0.0.6")];
    let answer = world.done(Command::Bind(again));
    assert_eq!(
        answer,
        Outcome::Bound {
            allocation: first,
            created: false
        }
    );
    assert_eq!(world.ledger.revision(), revision);
    let mut other = bind.clone();
    other.parameters = [1; 16];
    let refusal = world.refused(Command::Bind(other));
    assert!(
        matches!(refusal, Refusal::ParametersChanged { .. }),
        "{refusal}"
    );
    let mut elsewhere = bind;
    elsewhere.node = world.nodes[1];
    let refusal = world.refused(Command::Bind(elsewhere));
    assert!(
        matches!(refusal, Refusal::ParametersChanged { .. }),
        "{refusal}"
    );
}

/// Promise (A8): an ADD invoked no later than the DEL of its sandbox is refused; a later one is a new incarnation.
#[test]
fn an_add_after_its_del() {
    let mut world = World::new();
    let early = world.add("a", "10.0.0.5");
    world.now_ms += 10;
    assert!(!world.release(world.del("a")));
    assert!(is_tombstone(&world.refused(Command::Bind(early.clone()))));
    world.now_ms += 10;
    let first = world.bind(world.add("a", "10.0.0.5"));
    assert!(
        is_tombstone(&world.refused(Command::Bind(early))),
        "it is late even so"
    );
    world.now_ms += 10;
    assert!(world.release(world.del("a")));
    world.now_ms += 10;
    let second = world.bind(world.add("a", "10.0.0.6"));
    assert!(second.generation > first.generation);
}

/// Promise: the same sandbox in another boot of its node is a new one; what the old one had cools.
#[test]
fn another_boot_is_another_incarnation() {
    let mut world = World::new();
    world.bind(world.add("a", "10.0.0.5"));
    let mut rebooted = world.add("a", "10.0.0.6");
    rebooted.boot = name("boot-2", BootId::new);
    rebooted.invoked_at_ms = 5;
    let bound = world.bind(rebooted);
    assert_eq!(bound.addresses, [ip("10.0.0.6")]);
    assert!(matches!(
        world.state("10.0.0.5"),
        Some(AddressState::Cooling { .. })
    ));
    assert_eq!(world.ledger.allocations_len(), 1);
}

/// Promise (A7): a newer sandbox of the same pod on the same node takes the older one's place in one command, and the
/// older one's late ADD never takes it back.
#[test]
fn a_newer_sandbox_supersedes() {
    let mut world = World::new();
    let mut older = world.add("a", "10.0.0.5");
    older.pod.uid = name("uid", PodUid::new);
    world.bind(older.clone());
    world.now_ms += 10;
    let mut newer = world.add("b", "10.0.0.6");
    newer.pod = older.pod.clone();
    world.bind(newer);
    assert!(world.ledger.allocation(&key("a")).is_none());
    assert!(matches!(
        world.state("10.0.0.5"),
        Some(AddressState::Cooling { .. })
    ));
    older.addresses = vec![ip("10.0.0.7")];
    assert!(is_tombstone(&world.refused(Command::Bind(older.clone()))));
    // The same when it comes for the first time.
    older.key = key("c");
    assert!(is_tombstone(&world.refused(Command::Bind(older))));
    assert!(
        !world.release(world.del("a")),
        "a late DEL of the old one finds nothing"
    );
    assert!(world.ledger.allocation(&key("b")).is_some());
}

/// Promise: two interfaces of one pod, and the same uid on another node, live side by side.
#[test]
fn only_the_same_place_is_superseded() {
    let mut world = World::new();
    let first = world.add("a", "10.0.0.5");
    world.bind(first.clone());
    let mut second = first.clone();
    second.key.interface = name("net1", InterfaceName::new);
    second.addresses = vec![ip("10.0.0.6")];
    world.bind(second);
    let mut third = first;
    third.key = key("b");
    third.node = world.nodes[1];
    third.addresses = vec![ip("10.0.0.7")];
    world.bind(third);
    assert_eq!(world.ledger.allocations_len(), 3);
}

/// Promise: an address that is not free, or not one of this node's warm ones, was taken; one outside or excluded is out
/// of range; a cooling one that is due is not free before `Expire` said so.
#[test]
fn only_free_and_own_warm_addresses() {
    let mut world = World::new();
    world.bind(world.add("a", "10.0.0.5"));
    let stock = |node, address| {
        let (eni, addresses) = (None, vec![ip(address)]);
        Command::Stock(Stock {
            vswitch: VSwitchId(1),
            node,
            eni,
            addresses,
        })
    };
    world.done(stock(world.nodes[0], "10.0.0.7"));
    world.done(stock(world.nodes[1], "10.0.0.8"));
    world.release(world.del("a"));
    world.now_ms += COOLING_MS;
    for taken in ["10.0.0.5", "10.0.0.8"] {
        let refusal = world.refused(Command::Bind(world.add("b", taken)));
        assert_eq!(refusal, Refusal::Taken { address: ip(taken) });
    }
    for outside in ["10.0.0.0", "10.0.0.255", "10.0.1.1", "fd00::1"] {
        let refusal = world.refused(Command::Bind(world.add("b", outside)));
        let fit = matches!(
            refusal,
            Refusal::OutOfRange { .. }
                | Refusal::Invalid {
                    field: "addresses",
                    ..
                }
        );
        assert!(fit, "{refusal}");
    }
    world.bind(world.add("b", "10.0.0.7"));
    assert_eq!(world.expire(), 1);
    world.bind(world.add("c", "10.0.0.5"));
}

/// Promise (A16): in a dual-stack vSwitch a bind takes both families or none.
#[test]
fn both_families_or_none() {
    let mut world = World::new();
    let (ipv4, ipv6) = (subnet("10.1.0.0/24", None), subnet("fd00::/64", None));
    let vswitch = world.vswitch(create_vswitch("vsw-b", ipv4, ipv6));
    let bind = |world: &World, addresses: &[&str]| {
        let mut bind = world.add("a", "10.1.0.5");
        bind.vswitch = vswitch;
        bind.addresses = addresses.iter().map(|address| ip(address)).collect();
        Command::Bind(bind)
    };
    for incomplete in [
        &["10.1.0.5"][..],
        &["fd00::5"],
        &["fd00::5", "10.1.0.5"],
        &["10.1.0.5", "10.1.0.6"],
        &[],
    ] {
        let command = bind(&world, incomplete);
        let refusal = world.refused(command);
        assert!(
            matches!(
                refusal,
                Refusal::Invalid {
                    field: "addresses",
                    ..
                }
            ),
            "{refusal}"
        );
    }
    let mut other = world.add("b", "10.1.0.6");
    other.vswitch = vswitch;
    other.addresses = vec![ip("10.1.0.6"), ip("fd00::5")];
    world.bind(other);
    let command = bind(&world, &["10.1.0.5", "fd00::5"]);
    assert_eq!(
        world.refused(command),
        Refusal::Taken {
            address: ip("fd00::5")
        }
    );
    assert_eq!(
        world.state("10.1.0.5"),
        None,
        "the other family was not touched"
    );
    let command = bind(&world, &["10.1.0.5", "fd00::6"]);
    world.done(command);
}

/// Promise: a node with ENI slots takes as many addresses as fit, warm ones counted, and says both numbers.
#[test]
fn a_full_node() {
    let mut world = World::new();
    let mut command = register_node("worker-3", "i-3");
    (command.eni_slots, command.addresses_per_eni) = (1, 2);
    let node = world.node(command);
    let addresses = vec![ip("10.0.0.5"), ip("10.0.0.6")];
    let stock = Stock {
        vswitch: world.vswitch,
        node,
        eni: None,
        addresses,
    };
    world.done(Command::Stock(stock));
    let mut bind = world.add("a", "10.0.0.7");
    bind.node = node;
    let refusal = world.refused(Command::Bind(bind.clone()));
    assert_eq!(
        refusal.to_string(),
        "node worker-3 has 2 of 2 addresses in use"
    );
    bind.addresses = vec![ip("10.0.0.6")];
    world.bind(bind);
}

/// Promise (A3): a claim is bound by its own pod only, to its own addresses, and stays through a DEL.
#[test]
fn a_claim_is_its_own_pods() {
    let mut world = World::new();
    world.claim("10.0.0.9", Policy::Never);
    let own = world.add_static("a", "10.0.0.9");
    let mut stranger = own.clone();
    stranger.pod.name = name("web-1", PodName::new);
    let refusal = world.refused(Command::Bind(stranger));
    assert!(
        matches!(refusal, Refusal::Invalid { field: "claim", .. }),
        "{refusal}"
    );
    let refusal = world.refused(Command::Bind(world.add("b", "10.0.0.9")));
    assert_eq!(
        refusal,
        Refusal::Taken {
            address: ip("10.0.0.9")
        }
    );
    let mut dynamic = own.clone();
    (dynamic.claim, dynamic.addresses) = (BindClaim::None, vec![ip("10.0.0.5")]);
    let refusal = world.refused(Command::Bind(dynamic));
    assert_eq!(
        refusal,
        Refusal::Taken {
            address: ip("10.0.0.5")
        },
        "the pod has a claim by now"
    );
    let mut elsewhere = own.clone();
    elsewhere.addresses = vec![ip("10.0.0.5")];
    assert_eq!(
        world.refused(Command::Bind(elsewhere)),
        Refusal::Taken {
            address: ip("10.0.0.5")
        }
    );
    world.bind(own);
    world.release(world.del("a"));
    assert!(matches!(
        world.state("10.0.0.9"),
        Some(AddressState::Held { .. })
    ));
}

/// Promise: another node gets a claim's address only after the DEL has settled (design §6, proof a), and never from a
/// live holder.
#[test]
fn a_hand_over_needs_proof() {
    let mut world = World::new();
    world.claim("10.0.0.9", Policy::Never);
    world.bind(world.add_static("a", "10.0.0.9"));
    let other = |world: &World| {
        let mut bind = world.add_static("b", "10.0.0.9");
        bind.node = world.nodes[1];
        Command::Bind(bind)
    };
    let command = other(&world);
    let refusal = world.refused(command);
    assert!(
        matches!(
            refusal,
            Refusal::HeldByLiveHolder {
                settled_at_ms: None,
                ..
            }
        ),
        "{refusal}"
    );
    assert!(
        refusal.to_string().contains("sandbox a on node worker-1"),
        "{refusal}"
    );
    let settled_at_ms = Some(world.now_ms + 2_000);
    world.release(world.del("a"));
    world.now_ms += 1_999;
    let command = other(&world);
    let refusal = world.refused(command);
    assert!(
        matches!(refusal, Refusal::HeldByLiveHolder { settled_at_ms: at, .. } if at == settled_at_ms)
    );
    world.now_ms += 1;
    let command = other(&world);
    world.done(command);
}

/// Promise: a newer sandbox of the pod on the same node (proof g) and a new boot of the node (proof f) get it at once.
#[test]
fn a_hand_over_on_the_same_node() {
    let mut world = World::new();
    let id = world.claim("10.0.0.9", Policy::Never);
    let mut first = world.add_static("a", "10.0.0.9");
    first.pod.uid = name("uid", PodUid::new);
    world.bind(first);
    let mut second = world.add_static("b", "10.0.0.9");
    second.pod.uid = name("uid", PodUid::new);
    let bound = world.bind(second);
    let mut third = world.add_static("c", "10.0.0.9");
    (third.boot, third.invoked_at_ms) = (name("boot-2", BootId::new), 1);
    third.pod.uid = name("", PodUid::new);
    let last = world.bind(third);
    assert!(last.generation > bound.generation);
    let claim = world.ledger.claim(id).expect("the claim").clone();
    assert_eq!(claim.generation, last.generation);
    assert!(
        matches!(&claim.state, ClaimState::Bound { key, .. } if **key == last.key.as_ref().clone())
    );
    assert_eq!(world.ledger.allocations_len(), 1);
}

/// Promise: a bind can make its claim; if one came to be meanwhile it is chosen again.
#[test]
fn a_bind_makes_its_claim() {
    let mut world = World::new();
    let mut bind = world.add("a", "10.0.0.9");
    bind.claim = BindClaim::New {
        name: claim_name("pod-a"),
        policy: Policy::Delete,
    };
    let bound = world.bind(bind.clone());
    assert_eq!(bound.claim, Some(ClaimId(bound.generation.0)));
    bind.key = key("b");
    bind.pod.uid = name("another", PodUid::new);
    bind.addresses = vec![ip("10.0.0.10")];
    assert_eq!(
        world.refused(Command::Bind(bind.clone())),
        Refusal::Taken {
            address: ip("10.0.0.10")
        }
    );
    bind.claim = BindClaim::New {
        name: claim_name("somebody-else"),
        policy: Policy::Never,
    };
    let refusal = world.refused(Command::Bind(bind));
    assert!(
        matches!(refusal, Refusal::Invalid { field: "claim", .. }),
        "{refusal}"
    );
}

/// Promise: node and vSwitch must be there.
#[test]
fn unknown_names() {
    let mut world = World::new();
    let mut bind = world.add("a", "10.0.0.5");
    bind.node = NodeId(99);
    let refusal = world.refused(Command::Bind(bind));
    assert_eq!(refusal.to_string(), "node 99 does not exist");
    let mut bind = world.add("a", "10.0.0.5");
    bind.vswitch = VSwitchId(99);
    let refusal = world.refused(Command::Bind(bind));
    assert_eq!(refusal.to_string(), "vSwitch 99 does not exist");
}
