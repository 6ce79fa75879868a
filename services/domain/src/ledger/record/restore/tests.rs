use crate::Ledger;
use crate::apply::testing::*;
use crate::command::{Command, Stock};
use crate::id::*;
use crate::invariant;
use crate::ledger::{Error, Record, STATE_VERSION};
use crate::row::Policy;

/// Every kind of record.
fn world() -> World {
    let mut world = World::new();
    world.bind(world.add("a", "10.0.0.5"));
    world.claim("10.0.0.9", Policy::Ttl { ttl_ms: 5 });
    world.bind(world.add_static("b", "10.0.0.9"));
    world.now_ms += 1;
    world.release(world.del("b"));
    world.release(world.del("unknown"));
    world.now_ms += 1;
    world.bind(world.add("b", "10.0.0.6"));
    let stock = Stock {
        vswitch: world.vswitch,
        node: world.nodes[1],
        eni: Some(name("eni-1", EniId::new)),
        addresses: vec![ip("10.0.0.7")],
    };
    let answer = world.propose(proposal(Command::Stock(stock), "request-1"));
    assert!(answer.result.is_ok());
    world
}

/// Promise: the records of a ledger make the same ledger, with the same header, indexes and rules.
#[test]
fn there_and_back() {
    let world = world();
    let restored = Ledger::from_records(world.ledger.records()).expect("its own records");
    assert!(restored.records().eq(world.ledger.records()));
    assert_eq!(restored.digest(), world.ledger.digest());
    assert_eq!(restored.sizes(), world.ledger.sizes());
    assert_eq!(restored.ledger_time_ms(), world.now_ms);
    assert_eq!(restored.next_due_ms(), world.ledger.next_due_ms());
    assert_eq!(invariant::check_all(&restored), []);
    assert!(restored.tombstone(&key("b")).is_some() && restored.allocation(&key("b")).is_some());
}

/// Promise: records of a frozen ledger are of that moment, whatever is applied while they are read.
#[test]
fn frozen_while_it_goes_on() {
    let mut world = world();
    let expected: Vec<Record> = world.ledger.records().collect();
    let mut records = world.ledger.records();
    let mut seen: Vec<Record> = records.by_ref().take(3).collect();
    for n in 20..200 {
        world.bind(world.add(&format!("s{n}"), &format!("10.0.0.{n}")));
    }
    world.release(world.del("a"));
    seen.extend(records);
    assert_eq!(seen, expected);
}

/// Promise: a snapshot without its header, of another form, or with a row whose neighbour is missing makes no ledger.
#[test]
fn damaged_snapshots() {
    let records: Vec<Record> = world().ledger.records().collect();
    let error = |records: Vec<Record>| {
        Ledger::from_records(records)
            .map(|_| ())
            .expect_err("damaged")
    };
    assert_eq!(error(records[1..].to_vec()), Error::Header);
    let twice: Vec<Record> = records[..1].iter().chain(&records).cloned().collect();
    assert_eq!(error(twice), Error::Header);
    let mut future = records.clone();
    if let Record::Header(header) = &mut future[0] {
        header.state_version = STATE_VERSION + 1;
    }
    let refused = error(future);
    assert!(
        matches!(
            refused,
            Error::StateVersion {
                found: 4,
                oldest: 1,
                newest: 3
            }
        ),
        "{refused:?}"
    );
    for what in ["vSwitch", "node", "claim", "allocation"] {
        let is = |record: &Record| match what {
            "vSwitch" => matches!(record, Record::VSwitch(_)),
            "node" => matches!(record, Record::Node(_)),
            "claim" => matches!(record, Record::Claim(_)),
            _ => matches!(record, Record::Allocation(_)),
        };
        let without: Vec<Record> = records
            .iter()
            .filter(|record| !is(record))
            .cloned()
            .collect();
        assert!(without.len() < records.len());
        assert!(matches!(error(without), Error::Dangling { .. }), "{what}");
    }
}
