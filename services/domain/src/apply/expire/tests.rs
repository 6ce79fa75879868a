use crate::apply::testing::*;
use crate::apply::{REQUEST_MS, TOMBSTONE_MS};
use crate::command::*;
use crate::id::*;
use crate::outcome::{Outcome, Refusal};
use crate::row::{AddressState, Policy};

/// Promise (A11): nothing expires before its time, and nothing due means no revision.
#[test]
fn not_before_its_time() {
    let mut world = World::new();
    world.bind(world.add("a", "10.0.0.5"));
    world.release(world.del("a"));
    assert_eq!(world.ledger.next_due_ms(), Some(world.now_ms + COOLING_MS));
    world.now_ms += COOLING_MS - 1;
    let revision = world.ledger.revision();
    assert_eq!(world.expire(), 0);
    assert_eq!(world.ledger.revision(), revision);
    world.now_ms += 1;
    assert_eq!(world.expire(), 1);
    let since = world.ledger.revision();
    assert_eq!(world.state("10.0.0.5"), Some(AddressState::Free { since }));
    assert_eq!(world.ledger.next_due_ms(), Some(1_000 + TOMBSTONE_MS));
    world.now_ms = 1_000 + TOMBSTONE_MS;
    assert_eq!(world.expire(), 1);
    assert_eq!(
        (
            world.ledger.next_due_ms(),
            world.ledger.tombstone(&key("a"))
        ),
        (None, None)
    );
}

/// Promise: an address that cooled on an ENI is warm on it again.
#[test]
fn on_an_eni_it_stays_warm() {
    let mut world = World::new();
    let mut bind = world.add("a", "10.0.0.5");
    bind.eni = Some(name("eni-1", EniId::new));
    world.bind(bind);
    world.release(world.del("a"));
    world.now_ms += COOLING_MS;
    assert_eq!(world.expire(), 1);
    let (node, eni) = (world.nodes[0], Some(name("eni-1", EniId::new)));
    assert_eq!(
        world.state("10.0.0.5"),
        Some(AddressState::Idle { node, eni })
    );
}

/// Promise: the limit bounds one command, the oldest go first, and the rest stays due.
#[test]
fn bounded_and_oldest_first() {
    let mut world = World::new();
    for n in 1..=5 {
        let (sandbox, address) = (format!("a{n}"), format!("10.0.0.{}", 20 - n));
        world.bind(world.add(&sandbox, &address));
        world.release(world.del(&sandbox));
        world.now_ms += 10;
    }
    world.now_ms += COOLING_MS;
    let outcome = world.done(Command::Expire(Expire { limit: 2 }));
    assert_eq!(outcome, Outcome::Rows(2));
    let free = |address: &str, world: &World| {
        matches!(world.state(address), Some(AddressState::Free { .. }))
    };
    let freed: Vec<bool> = (1..=5)
        .map(|n| free(&format!("10.0.0.{}", 20 - n), &world))
        .collect();
    assert_eq!(freed, [true, true, false, false, false]);
    assert_eq!(world.expire(), 3);
    for limit in [0, 5_000] {
        let refusal = world.refused(Command::Expire(Expire { limit }));
        assert!(
            matches!(refusal, Refusal::Invalid { field: "limit", .. }),
            "{refusal}"
        );
    }
}

/// Promise: the limit holds among rows that are due in the same millisecond as well.
#[test]
fn a_limit_cuts_within_a_millisecond() {
    let mut world = World::new();
    for n in 0..10 {
        world.release(world.del(&format!("a{n}")));
    }
    world.now_ms += TOMBSTONE_MS;
    let rows = world.done(Command::Expire(Expire { limit: 3 }));
    assert_eq!(rows, Outcome::Rows(3));
    assert_eq!(world.expire(), 7);
}

/// Promise: a claim past its TTL ends and its address cools; a new holder in time stops the clock.
#[test]
fn a_ttl_fires() {
    let mut world = World::new();
    let id = world.claim("10.0.0.9", Policy::Ttl { ttl_ms: 10_000 });
    world.now_ms += 20_000;
    assert_eq!(
        world.expire(),
        0,
        "before its first holder it does not count"
    );
    world.bind(world.add_static("a", "10.0.0.9"));
    world.release(world.del("a"));
    world.now_ms += 9_999;
    assert_eq!(world.expire(), 0);
    world.bind(world.add_static("b", "10.0.0.9"));
    world.now_ms += 9_999;
    assert_eq!(world.expire(), 0);
    world.release(world.del("b"));
    world.now_ms += 10_000;
    assert_eq!(world.expire(), 1);
    assert!(world.ledger.claim(id).is_none());
    assert!(matches!(
        world.state("10.0.0.9"),
        Some(AddressState::Cooling { .. })
    ));
}

/// Promise: a request's result is remembered for ten minutes, answers a repeat, and refuses another command.
#[test]
fn requests_are_remembered() {
    let mut world = World::new();
    let command =
        |limit| Command::CreateVSwitch(create_vswitch(limit, subnet("10.9.0.0/24", None), None));
    let first = world.propose(proposal(command("vsw-r"), "request-1"));
    let again = world.propose(proposal(command("vsw-r"), "request-1"));
    assert_eq!(first.result, again.result);
    let other = world.propose(proposal(command("vsw-s"), "request-1"));
    assert!(matches!(
        other.result,
        Err(Refusal::Invalid {
            field: "request_id",
            ..
        })
    ));
    let refused = world.propose(proposal(command("vsw-r"), "request-2"));
    assert!(refused.result.is_err());
    assert_eq!(
        world.ledger.sizes().requests,
        1,
        "only successes are remembered"
    );
    world.now_ms += REQUEST_MS;
    assert_eq!(world.expire(), 1);
    let after = world.propose(proposal(command("vsw-r"), "request-1"));
    assert!(matches!(after.result, Err(Refusal::AlreadyExists { .. })));
}
