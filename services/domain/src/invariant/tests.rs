//! Every rule finds what breaks it: a whole ledger, one thing broken by hand, and the rule that has to say so.

use super::*;
use crate::address::number;
use crate::apply::testing::*;
use crate::command::{Command, Header, Release};
use crate::event::Chain;
use crate::id::*;
use crate::ledger::addresses::Place;
use crate::row::*;
use std::sync::Arc;

/// Two sandboxes, one of them static, a cooling address and a warm one.
fn world() -> World {
    let mut world = World::new();
    world.bind(world.add("a", "10.0.0.5"));
    world.claim("10.0.0.9", Policy::Never);
    world.bind(world.add_static("b", "10.0.0.9"));
    world.bind(world.add("c", "10.0.0.6"));
    world.release(world.del("c"));
    let stock = crate::command::Stock {
        vswitch: world.vswitch,
        node: world.nodes[1],
        eni: None,
        addresses: vec![ip("10.0.0.7")],
    };
    world.done(Command::Stock(stock));
    world
}

fn broken(world: &World) -> Vec<&'static str> {
    check_all(&world.ledger)
        .into_iter()
        .map(|violation| violation.id)
        .collect()
}

fn install(world: &mut World, change: Change) {
    world.ledger.install(&[change]);
}

fn address(world: &World, at: &str, after: Option<AddressState>) -> Change {
    Change::address(world.vswitch, ip(at), None, after)
}

fn allocation(row: Allocation) -> Change {
    let key = row.key.clone();
    Change::Allocation {
        key,
        before: None,
        after: Some(Arc::new(row)),
    }
}

/// Promise: a whole ledger breaks no rule, and every rule is listed once.
#[test]
fn a_whole_ledger() {
    assert_eq!(broken(&world()), <[&str; 0]>::default());
    let mut ids: Vec<_> = ALL.iter().map(|rule| rule.id).collect();
    ids.dedup();
    assert_eq!(
        ids,
        [
            "A1", "A2", "A3", "A4", "A8", "A9", "E1", "E2", "E3", "A13", "A15", "A16", "A17"
        ]
    );
}

/// Promise (A1): two sandboxes with one address are found, and an allocation whose address is somebody else's.
#[test]
fn a1() {
    let mut world = world();
    let row = world.ledger.allocation(&key("a")).expect("a").clone();
    let twin = Allocation {
        key: Arc::new(key("twin")),
        generation: Generation(999),
        ..(*row).clone()
    };
    install(&mut world, allocation(twin));
    assert!(broken(&world).contains(&"A1"));
    let mut world = self::world();
    let change = address(
        &world,
        "10.0.0.5",
        Some(AddressState::Free { since: Revision(1) }),
    );
    install(&mut world, change);
    assert!(broken(&world).contains(&"A1"));
}

/// Promise (A3): a claim's address that went to another, or a claim bound to a stranger, is found.
#[test]
fn a3() {
    let mut world = world();
    let id = world
        .ledger
        .claim_named(&claim_name("web-0"))
        .expect("claim")
        .id;
    let change = address(&world, "10.0.0.9", Some(AddressState::Held { claim: id }));
    install(&mut world, change);
    assert!(broken(&world).contains(&"A3"));

    let mut world = self::world();
    let claim = world.ledger.claim(id).expect("claim").clone();
    let other = world.ledger.allocation(&key("a")).expect("a").clone();
    let state = ClaimState::Bound {
        key: other.key.clone(),
        generation: other.generation,
        node: other.node,
    };
    let after = Claim {
        state,
        addresses: other.addresses.clone(),
        ..(*claim).clone()
    };
    install(
        &mut world,
        Change::Claim {
            id,
            before: None,
            after: Some(Arc::new(after)),
        },
    );
    assert!(broken(&world).contains(&"A3"));

    let mut world = self::world();
    install(
        &mut world,
        Change::Claim {
            id,
            before: None,
            after: None,
        },
    );
    assert!(broken(&world).contains(&"A3"));
}

/// Promise (A4): one generation of two allocations is found.
#[test]
fn a4() {
    let mut world = world();
    let row = world.ledger.allocation(&key("a")).expect("a").clone();
    let twin = Allocation {
        key: Arc::new(key("twin")),
        ..(*row).clone()
    };
    install(&mut world, allocation(twin));
    assert!(broken(&world).contains(&"A4"));
}

/// Promise (A8): an allocation older than its own tombstone is found.
#[test]
fn a8() {
    let mut world = world();
    let row = world.ledger.allocation(&key("a")).expect("a").clone();
    let after = Tombstone {
        boot: row.boot.clone(),
        invoked_at_ms: row.invoked_at_ms,
        expires_at_ms: u64::MAX,
    };
    let key = row.key.clone();
    install(
        &mut world,
        Change::Tombstone {
            key,
            before: None,
            after: Some(after),
        },
    );
    assert_eq!(broken(&world), ["A8"]);
}

/// Promise (A9): a vSwitch's or a node's counter that is off by one is found.
#[test]
fn a9() {
    let mut world = world();
    let counts = world
        .ledger
        .vswitches
        .counts_mut(world.vswitch)
        .expect("counts");
    let v4 = counts.ipv4.as_mut().expect("ipv4");
    (v4.bound, v4.cooling) = (v4.bound + 1, v4.cooling - 1);
    assert_eq!(broken(&world), ["A9"]);
    let mut world = self::world();
    world
        .ledger
        .nodes
        .usage_mut(world.nodes[0])
        .expect("usage")
        .families[0]
        .bound += 1;
    assert_eq!(broken(&world), ["A9"]);
}

/// Promise (A13): a bound address without its allocation is found, and a cooling one that nobody frees.
#[test]
fn a13() {
    let mut world = world();
    let key = Arc::new(key("a"));
    install(
        &mut world,
        Change::Allocation {
            key,
            before: None,
            after: None,
        },
    );
    assert!(broken(&world).contains(&"A13"));
    let mut world = self::world();
    let at = number(ip("10.0.0.6"));
    world.ledger.addresses.forget_due(at);
    assert_eq!(broken(&world), ["A13"]);
}

/// Promise (A15): addresses that are counted as free and taken in the rows are found.
#[test]
fn a15() {
    let mut world = world();
    let place = Place::Held { claim: ClaimId(1) };
    world
        .ledger
        .addresses
        .set(number(ip("10.0.0.77")), Some(place));
    assert!(broken(&world).contains(&"A15"));
}

/// Promise (A16): an excluded address in use is found, and an allocation with half a pair.
#[test]
fn a16() {
    let mut world = world();
    let change = address(
        &world,
        "10.0.0.255",
        Some(AddressState::Free { since: Revision(1) }),
    );
    install(&mut world, change);
    assert!(broken(&world).contains(&"A16"));
    let mut world = self::world();
    let row = world.ledger.allocation(&key("a")).expect("a").clone();
    let half = Allocation {
        addresses: Vec::new(),
        ..(*row).clone()
    };
    install(&mut world, allocation(half));
    assert!(broken(&world).contains(&"A16"));
}

/// Promise (A17): a vSwitch within another is found.
#[test]
fn a17() {
    let mut world = world();
    let row = world
        .ledger
        .vswitch(world.vswitch)
        .expect("vswitch")
        .clone();
    let inner = VSwitch {
        id: VSwitchId(99),
        name: name("inner", VSwitchName::new),
        ipv4: subnet("10.0.0.128/25", None),
        excluded: Vec::new(),
        ..(*row).clone()
    };
    let (id, after) = (inner.id, Some(Arc::new(inner)));
    install(
        &mut world,
        Change::VSwitch {
            id,
            before: None,
            after,
        },
    );
    assert!(broken(&world).contains(&"A17"));
}

/// Promise (A3, A11): a step outside the table is found, a held address that goes to a stranger, and one that leaves its
/// rest early.
#[test]
fn steps() {
    let world = world();
    let last = world.groups.last().expect("a group");
    let group = |before: AddressState, after: AddressState| crate::event::EventGroup {
        changes: vec![Change::address(
            world.vswitch,
            ip("10.0.0.6"),
            Some(before),
            Some(after),
        )],
        ..last.clone()
    };
    let held = || AddressState::Held { claim: ClaimId(1) };
    let free = || AddressState::Free { since: Revision(1) };
    let cooling = |until_ms| AddressState::Cooling {
        until_ms,
        node: None,
        eni: None,
    };
    let bound = || AddressState::Bound {
        node: world.nodes[0],
        key: Arc::new(key("a")),
        generation: Generation(1),
    };
    let id = |result: Result<(), Violation>| result.expect_err("broken").id;
    assert_eq!(id(steps_allowed(&group(held(), free()))), "A3");
    assert_eq!(id(steps_allowed(&group(held(), bound()))), "A3");
    assert_eq!(steps_allowed(&group(free(), bound())), Ok(()));
    assert_eq!(
        id(cooled_down(&group(
            cooling(last.ledger_time_ms + 1),
            free()
        ))),
        "A11"
    );
    assert_eq!(
        cooled_down(&group(cooling(last.ledger_time_ms), free())),
        Ok(())
    );
}

/// Promise (A6, A7): a DEL that has an effect twice is found, and one that ended another sandbox.
#[test]
fn dels() {
    let mut world = world();
    let late = world.del("a");
    world.now_ms += 5;
    let del = world.del("a");
    world.release(del.clone());
    let again = proposal(Command::Release(del.clone()), "");
    assert_eq!(released_once(&world.ledger, &again), Ok(()));
    let other = proposal(Command::Release(world.del("b")), "");
    assert_eq!(
        released_once(&world.ledger, &other)
            .expect_err("an effect")
            .id,
        "A6"
    );
    let group = world.groups.last().expect("a group").clone();
    assert_eq!(released_its_own(&del, &group), Ok(()));
    let id = |del: &Release| released_its_own(del, &group).expect_err("not its own").id;
    assert_eq!(id(&world.del("b")), "A7");
    let elsewhere = Release {
        node: world.nodes[1],
        ..del.clone()
    };
    assert_eq!(id(&elsewhere), "A7");
    let stale = Release {
        generation: Some(Generation(1)),
        ..del
    };
    assert_eq!(id(&stale), "A7");
    let before = Release {
        invoked_at_ms: 0,
        ..late
    };
    assert_eq!(id(&before), "A7");
}

/// Promise (H1, H2, H3, A18): a missing, repeated, reordered or changed group is found, and a state that is another's.
#[test]
fn histories() {
    let world = world();
    let start = (Revision(0), Chain::default());
    let end = (world.ledger.revision(), world.ledger.chain());
    assert_eq!(chain_follows(start, &world.groups), Ok(end));
    let empty = crate::Ledger::new(name("test", ClusterId::new));
    assert_eq!(replays(&empty, &world.groups, &world.ledger), Ok(()));

    let id =
        |groups: &[crate::event::EventGroup]| chain_follows(start, groups).expect_err("broken").id;
    let mut missing = world.groups.clone();
    missing.remove(3);
    assert_eq!(id(&missing), "H1");
    assert_eq!(
        replays(&empty, &missing, &world.ledger)
            .expect_err("a gap")
            .id,
        "H2"
    );
    let mut changed = world.groups.clone();
    changed[3].wall_time_ms += 1;
    assert_eq!(id(&changed), "H3");
    assert_eq!(
        replays(&empty, &changed, &world.ledger)
            .expect_err("changed")
            .id,
        "H2"
    );
    let short = &world.groups[..world.groups.len() - 1];
    assert_eq!(
        replays(&empty, short, &world.ledger).expect_err("short").id,
        "H2"
    );

    let mut other = world.ledger.clone();
    assert_eq!(same_apply(&world.ledger, &other), Ok(()));
    let header = Header {
        ledger_time_ms: u64::MAX / 2,
        wall_time_ms: 0,
    };
    other.apply(&header, Vec::new());
    assert_eq!(
        same_apply(&world.ledger, &other),
        Ok(()),
        "time alone makes no difference"
    );
    other.apply(
        &header,
        vec![proposal(
            Command::Expire(crate::command::Expire { limit: 9 }),
            "",
        )],
    );
    assert_eq!(
        same_apply(&world.ledger, &other).expect_err("another").id,
        "A18"
    );
}

fn stray(world: &World, at: &str) -> Change {
    let row = Stray {
        key: Arc::new(key("stray")),
        node: world.nodes[1],
        boot: name("boot-1", BootId::new),
        invoked_at_ms: 1,
        pod: world.add("stray", at).pod,
        addresses: vec![ip(at)],
        cause: StrayCause::UsedTwice,
        since: Revision(3),
    };
    Change::Stray {
        node: row.node,
        key: row.key.clone(),
        before: None,
        after: Some(Arc::new(row)),
    }
}

/// Promise (A2): an address that a stray uses and that could be given out is found; so is one that is kept for no stray.
#[test]
fn a2() {
    let mut world = world();
    let change = stray(&world, "10.0.0.20");
    install(&mut world, change);
    assert_eq!(broken(&world), ["A2"]);
    let quarantined = AddressState::Quarantined { since: Revision(3) };
    let change = address(&world, "10.0.0.20", Some(quarantined.clone()));
    install(&mut world, change);
    assert_eq!(broken(&world), <[&str; 0]>::default());
    let change = address(&world, "10.0.0.21", Some(quarantined));
    install(&mut world, change);
    assert_eq!(broken(&world), ["A13"]);
}

/// Promise (A2): a bind while a recovery is open is found, one after it is none.
#[test]
fn a2_while_a_recovery_is_open() {
    let mut world = world();
    world.raise(crate::version::CARE);
    let bind = world.add("late", "10.0.0.30");
    let before = world.ledger.clone();
    world.bind(bind);
    let group = world.groups.last().expect("the bind").clone();
    nothing_given_out(&before, &group).expect("none is open");
    let mut open = before;
    let header = Header {
        ledger_time_ms: 1,
        wall_time_ms: 1,
    };
    let recover = Command::Recover(crate::command::Recover {
        cluster: name("other", ClusterId::new),
        kind: RecoveryKind::Forced,
        revision_jump: crate::apply::JUMP_MIN,
        unknown_nodes: false,
    });
    open.apply(&header, vec![proposal(recover, "")]);
    let found = nothing_given_out(&open, &group).expect_err("given out too early");
    assert_eq!(found.id, "A2");
}
