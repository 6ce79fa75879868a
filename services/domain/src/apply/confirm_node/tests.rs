use super::*;
use crate::apply::recover::JUMP_MIN;
use crate::apply::testing::*;
use crate::command::{Command, Recover};
use crate::id::*;
use crate::outcome::Refusal;
use crate::row::{ClaimState, Policy, RecoveryKind, StrayCause};

fn live(container: &str, address: &str) -> Live {
    Live {
        key: key(container),
        boot: name("boot-1", BootId::new),
        invoked_at_ms: 5,
        pod: crate::id::PodIdentity {
            namespace: name("default", Namespace::new),
            name: name(&format!("pod-{container}"), PodName::new),
            uid: name("", PodUid::new),
        },
        eni: None,
        addresses: vec![ip(address)],
    }
}

/// A world right after a restore: worker-1 and worker-2 owe reports.
fn restored(before: impl FnOnce(&mut World)) -> World {
    let mut world = World::new();
    before(&mut world);
    world.raise(crate::version::CARE);
    world.done(Command::Recover(Recover {
        cluster: name("other", ClusterId::new),
        kind: RecoveryKind::Restored,
        revision_jump: JUMP_MIN,
        unknown_nodes: false,
    }));
    world
}

fn confirm(world: &mut World, node: usize, live: Vec<Live>) -> (u32, u32, u32) {
    let command = ConfirmNode {
        node: world.nodes[node],
        word: Word::Report,
        live,
    };
    match world.done(Command::ConfirmNode(command)) {
        Outcome::Confirmed {
            adopted,
            strays,
            waiting,
        } => (adopted, strays, waiting),
        other => panic!("{other:?}"),
    }
}

fn causes(world: &World) -> Vec<StrayCause> {
    world.ledger.strays().map(|row| row.cause).collect()
}

/// Promise (A1, A2): the address that a pod got after the backup is its own again, and nobody else's, however often its
/// node reports; each adopted one has a generation of its own.
#[test]
fn what_lives_is_adopted() {
    let mut world = restored(|world| {
        world.bind(world.add("a", "10.0.0.5"));
        world.release(world.del("a"));
    });
    // Of a free, a cooling and a never-used address.
    let both = vec![live("b", "10.0.0.5"), live("c", "10.0.0.77")];
    assert_eq!(confirm(&mut world, 0, both.clone()), (2, 0, 1));
    assert_eq!(confirm(&mut world, 0, both), (0, 0, 1));
    assert_eq!(confirm(&mut world, 1, vec![]), (0, 0, 0));
    let rows = ["b", "c"].map(|at| world.ledger.allocation(&key(at)).expect("adopted").clone());
    assert_ne!(rows[0].generation, rows[1].generation);
    assert!(
        rows.iter()
            .all(|row| row.generation.0 < world.ledger.revision().0)
    );
    let taken = world.refused(Command::Bind(world.add("d", "10.0.0.77")));
    assert!(matches!(taken, Refusal::Taken { .. }));
    world.bind(world.add("d", "10.0.0.78"));
    assert!(world.release(crate::command::Release {
        generation: Some(rows[1].generation),
        ..world.del("c")
    }));
}

/// Promise (A1): what this node has bound and does not name gives way to what lives there; another node's does not.
#[test]
fn a_node_speaks_for_itself() {
    let mut world = restored(|world| {
        world.bind(world.add("old", "10.0.0.5"));
        world.bind(world.add("kept", "10.0.0.6"));
    });
    let lives = vec![
        live("new", "10.0.0.5"),
        live("kept", "10.0.0.6"),
        live("kept-2", "10.0.0.6"),
    ];
    assert_eq!(confirm(&mut world, 0, lives), (1, 1, 1));
    assert!(world.ledger.allocation(&key("old")).is_none());
    assert_eq!(causes(&world), [StrayCause::BoundToAnother]);
    assert_eq!(
        confirm(&mut world, 1, vec![live("far", "10.0.0.5")]),
        (0, 1, 0)
    );
    assert!(world.ledger.allocation(&key("new")).is_some());
    // Bound ones that nobody names stay: their end needs what every end needs.
    let mut world = restored(|world| {
        world.bind(world.add("unnamed", "10.0.0.5"));
    });
    confirm(&mut world, 0, vec![]);
    assert!(world.ledger.allocation(&key("unnamed")).is_some());
}

/// Promise (A3): a claim's own pod has it back; any other keeps the claim from its pod until it is gone, and has no right.
#[test]
fn a_claim_goes_to_its_own_pod() {
    let own = |container: &str, address: &str| {
        let mut live = live(container, address);
        live.pod.name = name("web-0", PodName::new);
        live
    };
    let mut world = restored(|world| {
        world.claim("10.0.0.9", Policy::Never);
    });
    assert_eq!(
        confirm(&mut world, 1, vec![own("w", "10.0.0.9")]),
        (1, 0, 1)
    );
    let claim = world
        .ledger
        .claim_named(&claim_name("web-0"))
        .expect("there");
    assert!(matches!(&claim.state, ClaimState::Bound { node, .. } if *node == world.nodes[1]));

    let mut world = restored(|world| {
        world.claim("10.0.0.9", Policy::Never);
    });
    assert_eq!(
        confirm(
            &mut world,
            1,
            vec![live("x", "10.0.0.9"), own("y", "10.0.0.10")]
        ),
        (1, 1, 1)
    );
    confirm(&mut world, 0, vec![]);
    assert_eq!(causes(&world), [StrayCause::HeldForAnother]);
    let bind = world.add_static("z", "10.0.0.9");
    let refusal = world.refused(Command::Bind(bind.clone()));
    assert!(matches!(refusal, Refusal::HeldByLiveHolder { .. }));
    let del = crate::command::Release {
        node: world.nodes[1],
        ..world.del("x")
    };
    assert!(world.release(del));
    world.now_ms += crate::apply::SETTLE_MS;
    world.bind(bind);
}

/// Promise: whatever cannot be called its own is kept from everybody with the reason, and a report that a DEL overtook
/// brings nothing back.
#[test]
fn what_does_not_fit_is_a_stray() {
    let mut world = restored(|_| {});
    assert!(!world.release(world.del("gone")));
    let mut pair = live("pair", "10.0.0.50");
    pair.addresses.push(ip("10.0.0.51"));
    let mut gone = live("gone", "10.0.0.40");
    gone.invoked_at_ms = world.now_ms;
    let lives = vec![
        gone,
        live("far", "192.168.0.1"),
        pair,
        live("one", "10.0.0.60"),
    ];
    assert_eq!(confirm(&mut world, 0, lives), (1, 2, 1));
    assert_eq!(
        causes(&world),
        [StrayCause::OutOfRange, StrayCause::Families]
    );
    assert_eq!(
        confirm(
            &mut world,
            1,
            vec![live("one", "10.0.0.61"), live("two", "10.0.0.51")]
        ),
        (0, 2, 0)
    );
    let of = |container: &str| {
        world
            .ledger
            .strays()
            .filter(|row| *row.key == key(container))
            .map(|row| row.cause)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (of("one"), of("two")),
        (
            vec![StrayCause::BoundElsewhere],
            vec![StrayCause::UsedTwice]
        )
    );
    // Two strays use it: it rests when the second is gone.
    for (container, node, quarantined) in [("pair", 0, true), ("two", 1, false)] {
        let del = crate::command::Release {
            node: world.nodes[node],
            ..world.del(container)
        };
        assert!(world.release(del));
        let state = world.state("10.0.0.51");
        assert_eq!(
            matches!(state, Some(AddressState::Quarantined { .. })),
            quarantined,
            "{state:?}"
        );
    }
    // A vSwitch that is made where a stray lives does not give its address out.
    world.vswitch(create_vswitch(
        "vsw-b",
        subnet("192.168.0.0/24", None),
        None,
    ));
    let taken = world.refused(Command::Bind(crate::command::Bind {
        vswitch: world
            .ledger
            .vswitch_containing(ip("192.168.0.1"))
            .expect("made")
            .id,
        ..world.add("late", "192.168.0.1")
    }));
    assert!(matches!(taken, Refusal::Taken { .. }));
}

/// Promise: while a node owes its word no new address is given to anybody, and a claim that was free is not either: its
/// pod may have got it back after what was restored.
#[test]
fn nothing_is_given_out_before_the_last_word() {
    let mut world = restored(|world| {
        world.claim("10.0.0.9", Policy::Never);
    });
    for place in [0, 1] {
        let refused = world.refused(Command::Bind(world.add("a", "10.0.0.5")));
        assert!(matches!(refused, Refusal::Recovering { waiting, .. } if waiting == 2 - place));
        let refused = world.refused(Command::Bind(world.add_static("b", "10.0.0.9")));
        assert!(matches!(refused, Refusal::Recovering { .. }));
        confirm(&mut world, place as usize, vec![]);
    }
    world.bind(world.add("a", "10.0.0.5"));
    world.bind(world.add_static("b", "10.0.0.9"));
}

/// Promise: a word that cannot be one is refused and changes nothing.
#[test]
fn impossible_words_are_refused() {
    let mut world = restored(|_| {});
    let word = |node, word, live| Command::ConfirmNode(ConfirmNode { node, word, live });
    let node = world.nodes[0];
    let mut none = live("a", "10.0.0.5");
    none.addresses.clear();
    let too_many = (0..=LIVE_MAX)
        .map(|n| live(&format!("s-{n}"), "10.0.0.5"))
        .collect();
    for refused in [
        word(UNKNOWN_NODES, Word::Report, vec![]),
        word(NodeId(999), Word::Report, vec![]),
        word(node, Word::Admin, vec![live("a", "10.0.0.5")]),
        word(
            node,
            Word::Report,
            vec![live("a", "10.0.0.5"), live("a", "10.0.0.6")],
        ),
        word(node, Word::Report, vec![none]),
        word(node, Word::Report, too_many),
    ] {
        world.refused(refused);
    }
}

/// Promise (A1, A2): a sandbox whose DEL overtook the report has no bind, but its link may be there for a moment: what it used
/// rests as after any DEL, and a claim's address settles before it moves.
#[test]
fn what_is_just_leaving_rests() {
    let mut world = restored(|world| {
        world.claim("10.0.0.9", Policy::Never);
    });
    // Of sandboxes that the backup does not know.
    world.release(world.del("d"));
    world.release(world.del("e"));
    let both = vec![live("d", "10.0.0.77"), live("e", "10.0.0.9")];
    assert_eq!(confirm(&mut world, 0, both), (0, 0, 1));
    assert_eq!(confirm(&mut world, 1, vec![]), (0, 0, 0));
    let rests = world.ledger.address_state(ip("10.0.0.77"));
    assert!(
        matches!(rests, Some(AddressState::Cooling { .. })),
        "{rests:?}"
    );
    let taken = world.refused(Command::Bind(world.add("f", "10.0.0.77")));
    assert!(matches!(taken, Refusal::Taken { .. }), "{taken:?}");
    let claim = world.ledger.claims().next().expect("there").clone();
    let ClaimState::Held { settled_at_ms, .. } = claim.state else {
        panic!("{:?}", claim.state);
    };
    let now_ms = world.ledger.ledger_time_ms();
    assert_eq!(settled_at_ms, now_ms + crate::apply::SETTLE_MS);
}

/// Promise (A3): a claim whose own pod has just left was held until then: its time begins anew, and not with what the backup
/// says; for another's sandbox it does not (the control).
#[test]
fn a_claim_counts_from_its_own_pods_end() {
    let ttl_ms = 60_000;
    for (pod, begins_anew) in [("web-0", true), ("web-1", false)] {
        let mut world = restored(|world| {
            world.claim("10.0.0.9", Policy::Ttl { ttl_ms });
            world.bind(world.add_static("a", "10.0.0.9"));
            world.release(world.del("a"));
        });
        let release_at = |world: &World| {
            let claim = world.ledger.claims().next().expect("there");
            match claim.state {
                ClaimState::Held { release_at_ms, .. } => release_at_ms.expect("it has a time"),
                ClaimState::Bound { .. } => panic!("{:?}", claim.state),
            }
        };
        let by_backup = release_at(&world);
        world.now_ms += 1_000;
        let mut leaving = live("later", "10.0.0.9");
        leaving.pod.name = name(pod, PodName::new);
        world.release(world.del("later"));
        assert_eq!(confirm(&mut world, 0, vec![leaving]), (0, 0, 1));
        let expected = match begins_anew {
            true => world.now_ms + ttl_ms,
            false => by_backup,
        };
        assert_eq!(release_at(&world), expected, "{pod}");
    }
}

/// Promise (A1, A2): while a recovery is open what the restored ledger has bound serves nobody: neither a retried ADD, whose
/// bind may have ended after the backup, nor a newer sandbox of its pod, of any boot; once it is closed it does (the control).
#[test]
fn what_was_bound_waits_as_well() {
    let retried = |world: &World| world.add_static("a", "10.0.0.9");
    let newer = |world: &World| {
        let mut bind = world.add_static("b", "10.0.0.9");
        bind.pod.uid = name("uid-a", PodUid::new);
        bind.invoked_at_ms += 10;
        bind
    };
    let rebooted = |world: &World| crate::command::Bind {
        boot: name("boot-2", BootId::new),
        ..newer(world)
    };
    let asked: [&dyn Fn(&World) -> crate::command::Bind; 3] = [&retried, &newer, &rebooted];
    for ask in asked {
        let mut world = restored(|world| {
            world.claim("10.0.0.9", Policy::Never);
            world.bind(world.add_static("a", "10.0.0.9"));
        });
        let bind = ask(&world);
        for node in 0..2 {
            let refused = world.refused(Command::Bind(bind.clone()));
            assert!(matches!(refused, Refusal::Recovering { .. }), "{refused:?}");
            confirm(&mut world, node, vec![]);
        }
        let Outcome::Bound { allocation, .. } = world.done(Command::Bind(bind)) else {
            panic!("it is bound");
        };
        assert_eq!(allocation.addresses, [ip("10.0.0.9")]);
    }
}

/// Promise (A1): a retried ADD is not told an address that another lives with by its node's word; when that one is gone it is
/// (the control).
#[test]
fn a_retried_add_is_not_told_anothers_address() {
    let mut world = restored(|world| {
        world.bind(world.add("a", "10.0.0.9"));
    });
    let retried = world.add("a", "10.0.0.9");
    let mut other = live("x", "10.0.0.9");
    other.boot = name("boot-9", BootId::new);
    assert_eq!(confirm(&mut world, 0, vec![]), (0, 0, 1));
    assert_eq!(confirm(&mut world, 1, vec![other]), (0, 1, 0));
    let refused = world.refused(Command::Bind(retried.clone()));
    assert!(
        matches!(refused, Refusal::HeldByLiveHolder { .. }),
        "{refused:?}"
    );
    let mut gone = world.del("x");
    (gone.node, gone.boot) = (world.nodes[1], name("boot-9", BootId::new));
    assert!(world.release(gone));
    let answer = world.done(Command::Bind(retried));
    assert!(
        matches!(answer, Outcome::Bound { created: false, .. }),
        "{answer:?}"
    );
}

/// Promise (A1): so does an address that rests already, of an earlier user: it rests from now on, and not only until that
/// one's time is over.
#[test]
fn what_is_just_leaving_rests_anew() {
    let mut world = restored(|world| {
        world.bind(world.add("a", "10.0.0.77"));
        world.release(world.del("a"));
    });
    let until = |world: &World| match world.state("10.0.0.77") {
        Some(AddressState::Cooling { until_ms, .. }) => until_ms,
        other => panic!("{other:?}"),
    };
    let by_backup = until(&world);
    world.now_ms = by_backup - 1;
    world.release(world.del("d"));
    assert_eq!(
        confirm(&mut world, 0, vec![live("d", "10.0.0.77")]),
        (0, 0, 1)
    );
    assert_eq!(until(&world), by_backup - 1 + (by_backup - 1_000));
}
