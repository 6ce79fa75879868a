//! Order, repeats, refused choices and garbage collection.

use super::world::{Play, told};
use crate::engine::samples::*;
use crate::failure::Failure;
use crate::node::Collect;
use crate::node::state::{Out, REFUSED_MAX};
use berth_domain::command::Command;
use berth_domain::id::*;
use berth_domain::outcome::{Answer, Refusal};

/// Promise: ADDs that come together are asked for together, and each gets one address.
#[test]
fn asks_are_batched() {
    let mut play = Play::new();
    let mut waiting: Vec<_> = (0..5)
        .map(|number| play.add(add(&format!("c{number}"), "n1")))
        .collect();
    assert!(matches!(play.out[..], [Out::FlushSoon]), "{:?}", play.out);
    let asks = play.asks();
    assert_eq!(asks.len(), 1);
    assert_eq!(asks[0].2, 5);
    // Fewer than asked for: the others ask again.
    play.grant(asks[0].0, &["10.0.0.1", "10.0.0.2"]);
    assert_eq!(play.settle(), ["bind", "bind"]);
    assert_eq!(waiting.iter_mut().filter_map(told).count(), 2);
    let again = play.asks();
    assert_eq!(again[0].2, 3);
    play.grant(again[0].0, &["10.0.0.3", "10.0.0.4", "10.0.0.5"]);
    assert_eq!(play.settle().len(), 3);
}

/// Promise: a repeat in flight shares the first's answer, and only the first is told that it made something.
#[test]
fn a_repeat_in_flight_shares() {
    let mut play = Play::new();
    let (mut first, mut second) = (play.add(add("c1", "n1")), play.add(add("c1", "n1")));
    play.grant_all(&["10.0.0.1"]);
    let mut third = play.add(add("c1", "n1"));
    assert_eq!(play.settle(), ["bind"]);
    let answers = [&mut first, &mut second, &mut third]
        .map(|waiting| told(waiting).expect("told").expect("bound"));
    assert_eq!(
        answers.each_ref().map(|answer| answer.created),
        [true, false, false]
    );
    assert!(
        answers
            .iter()
            .all(|answer| answer.allocation == answers[0].allocation)
    );
    // Later, it is proposed with what is known, and apply says that it was there.
    let mut repeat = play.add(add("c1", "n1"));
    assert!(play.asks().is_empty());
    assert_eq!(play.settle(), ["bind"]);
    assert!(!told(&mut repeat).expect("told").expect("bound").created);
}

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

/// Promise: the same key with other parameters waits for the first and is refused by the ledger.
#[test]
fn other_parameters_wait_their_turn() {
    let mut play = Play::new();
    let mut first = play.add(add("c1", "n1"));
    let mut changed = add("c1", "n1");
    changed.requested = vec![ip("10.0.0.9")];
    let mut second = play.add(changed);
    play.grant_all(&["10.0.0.1"]);
    assert_eq!(play.settle(), ["bind"]);
    assert!(told(&mut first).expect("told").is_ok());
    assert!(told(&mut second).is_none());
    assert_eq!(play.settle(), ["bind"]);
    let refused = told(&mut second).expect("told").expect_err("refused");
    assert!(matches!(
        refused,
        Failure::Refused(Refusal::ParametersChanged { .. })
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

/// Promise: a refused choice is made again a few times; then the caller is told to come again and the view is drawn anew.
#[test]
fn a_refused_choice_is_made_again_but_not_for_ever() {
    let mut play = Play::new();
    let mut waiting = play.add(add("c1", "n1"));
    for _ in 0..REFUSED_MAX {
        assert!(told(&mut waiting).is_none());
        play.grant_all(&["10.0.0.1"]);
        play.overtake();
        assert_eq!(play.given_back(), [ip("10.0.0.1")]);
    }
    let failure = told(&mut waiting).expect("told").expect_err("given up");
    assert!(
        matches!(failure, Failure::Unavailable { .. }),
        "{failure:?}"
    );
    assert!(
        play.out
            .iter()
            .any(|out| matches!(out, Out::Refresh(VSwitchId(_))))
    );

    let mut lucky = play.add(add("c2", "n1"));
    play.grant_all(&["10.0.0.1"]);
    play.overtake();
    play.grant_all(&["10.0.0.2"]);
    play.settle();
    assert!(told(&mut lucky).expect("told").is_ok());
}

/// Promise: a vSwitch that is slow to answer delays nobody who needs another one.
#[test]
fn a_slow_vswitch_delays_no_other() {
    let mut play = Play::new();
    let named = |container: &str, vswitch: &str| {
        let mut request = add(container, "n1");
        request.vswitch = Some(VSwitchName::new(vswitch).expect("a name"));
        request
    };
    let mut slow = play.add(named("c1", "a"));
    let mut quick = play.add(named("c2", "b"));
    let asks = play.asks();
    assert_eq!(asks.len(), 2);
    play.grant(asks[1].0, &["10.0.1.1"]);
    play.settle();
    assert!(told(&mut quick).expect("told").is_ok());
    assert!(told(&mut slow).is_none());
    play.grant(asks[0].0, &["10.0.0.1"]);
    play.settle();
    assert!(told(&mut slow).expect("told").is_ok());
}

/// Promise: when one vSwitch of the zone has none left the next is asked; the last one's refusal is the answer.
#[test]
fn the_next_vswitch_is_asked() {
    let mut play = Play::new();
    let exhausted = |name: &str| Failure::Exhausted {
        vswitch: VSwitchName::new(name).expect("a name"),
        counts: "none".into(),
    };
    let (mut one, mut two) = (play.add(add("c1", "n1")), play.add(add("c2", "n1")));
    let first = play.asks();
    play.refuse(first[0].0, exhausted("a"));
    let second = play.asks();
    assert_ne!(first[0].1, second[0].1);
    assert_eq!(second[0].2, 2);
    let address = if second[0].1 == VSwitchId(1) {
        "10.0.0.1"
    } else {
        "10.0.1.1"
    };
    play.grant(second[0].0, &[address]);
    play.settle();
    assert!(told(&mut one).expect("told").is_ok());
    let third = play.asks();
    play.refuse(third[0].0, exhausted("b"));
    assert_eq!(told(&mut two).expect("told"), Err(exhausted("b")));
}

/// Promise: a specific address is proposed as it is, and whoever has it is named.
#[test]
fn a_specific_address() {
    let mut play = Play::new();
    let asking = |container: &str, address: &str| {
        let mut request = add(container, "n1");
        request.requested = vec![ip(address)];
        request
    };
    let mut first = play.add(asking("c1", "10.0.1.77"));
    assert!(play.asks().is_empty());
    play.settle();
    assert_eq!(
        address(&told(&mut first).expect("told").expect("bound")),
        ip("10.0.1.77")
    );
    let mut second = play.add(asking("c2", "10.0.1.77"));
    play.settle();
    // No other choice would do, so it is not chosen again; the gate says who has it.
    let taken = Refusal::Taken {
        address: ip("10.0.1.77"),
    };
    assert_eq!(
        told(&mut second).expect("told"),
        Err(Failure::Refused(taken))
    );
    let mut nowhere = play.add(asking("c3", "192.168.0.1"));
    let refused = told(&mut nowhere).expect("told").expect_err("nowhere");
    assert!(refused.to_string().contains("192.168.0.1"), "{refused}");
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
    let collect = |network: &str| Collect {
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
    };
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

/// Promise: at the term's end what the journal has is unknown, and what only waited is told that nobody leads.
#[test]
fn the_end_of_a_term() {
    let mut play = Play::new();
    let mut proposed = play.add(add("c1", "n1"));
    play.grant_all(&["10.0.0.1"]);
    let mut waiting = play.add(add("c2", "n1"));
    let failure = Failure::NotLeader {
        leader_endpoint: None,
    };
    play.state.end(&failure);
    assert!(matches!(
        told(&mut proposed),
        Some(Err(Failure::Unknown { .. }))
    ));
    assert_eq!(told(&mut waiting), Some(Err(failure)));
    // The journal's own word comes later and finds nobody.
    for (_, tag) in play.proposed() {
        let result = Err(Refusal::Taken {
            address: ip("10.0.0.1"),
        });
        play.answer(
            tag,
            Answer {
                revision: Revision(9),
                result,
            },
        );
    }
}

/// Promise: a node whose ENI slots are taken refuses with both numbers and asks no vSwitch; a new sandbox of a pod that is
/// here, and a node without limits (the control), find room.
#[test]
fn a_full_node_asks_nobody() {
    let mut play = Play::with_slots(1, 2);
    for (container, address) in [("c1", "10.0.0.1"), ("c2", "10.0.0.2")] {
        let mut waiting = play.add(add(container, "n1"));
        play.grant_all(&[address]);
        play.settle();
        assert!(told(&mut waiting).expect("told").is_ok());
    }
    let mut waiting = play.add(add("c3", "n1"));
    assert!(play.asks().is_empty());
    let refused = told(&mut waiting).expect("told").expect_err("full");
    let Failure::Refused(Refusal::NodeFull { used, capacity, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((used, capacity), (2, 2));
    let mut newer = add("c4", "n1");
    newer.pod = add("c1", "n1").pod;
    let _waiting = play.add(newer);
    assert_eq!(play.asks().len(), 1);

    let mut play = Play::new();
    let _waiting: Vec<_> = (0..3)
        .map(|number| play.add(add(&format!("c{number}"), "n1")))
        .collect();
    assert_eq!(play.asks()[0].2, 3);
}

/// Promise: addresses chosen for a bind that certainly never came to the ledger (the journal was full, a hand-over of the
/// leadership was tried) are free for others at once: the term goes on, and nothing else would give them back. Those of
/// a bind of which nobody knows stay promised.
#[test]
fn a_bind_that_did_not_happen_gives_its_address_back() {
    let busy = Failure::Busy {
        what: "the journal",
        retry_after_ms: 50,
    };
    let handing_over = Failure::Unavailable {
        reason: "the leadership is being handed over".into(),
    };
    let unknown = Failure::Unknown { reason: "lost" };
    let address = ip("10.0.0.1");
    for (failure, back) in [
        (busy, vec![address]),
        (handing_over, vec![address]),
        (unknown, Vec::new()),
    ] {
        let mut play = Play::new();
        let mut added = play.add(add("c1", "n1"));
        play.grant_all(&["10.0.0.1"]);
        play.fail(&failure);
        assert_eq!(told(&mut added).expect("told"), Err(failure.clone()));
        assert_eq!(play.given_back(), back, "{failure}");
    }
}

/// Promise: addresses that come for an ADD that a DEL has ended go back, also when another ADD of the key, which needs
/// only one family, waits by then.
#[test]
fn a_grant_serves_only_what_it_was_asked_for() {
    let mut play = Play::new();
    let mut dual = create_vswitch("d", "10.9.0.0/24", 1_000);
    if let Command::CreateVSwitch(create) = &mut dual.command {
        let (cidr, gateway) = ("fd00::/64".parse().expect("a cidr"), None);
        create.ipv6 = Some(berth_domain::address::Subnet { cidr, gateway });
    }
    assert!(play.apply(dual.command).result.is_ok());
    let mut first = add("c1", "n1");
    first.vswitch = Some(VSwitchName::new("d").expect("a name"));
    let mut second = first.clone();
    (second.requested, second.invoked_at_ms) = (vec![ip("10.9.0.9")], 1_000_000);
    let mut first = play.add(first);
    let asked = play.asks();
    drop(play.del(del("c1", "n1")));
    assert!(told(&mut first).expect("told").is_err());
    play.settle();
    drop(play.add(second));
    let again = play.asks();
    play.grant(asked[0].0, &["10.9.0.1,fd00::1"]);
    assert_eq!(play.given_back(), [ip("10.9.0.1"), ip("fd00::1")]);
    play.grant(again[0].0, &["fd00::2"]);
    let proposed = play.proposed();
    let Command::Bind(bind) = &proposed[0].0.command else {
        panic!("{proposed:?}");
    };
    assert_eq!(bind.addresses, [ip("10.9.0.9"), ip("fd00::2")]);
}

/// Promise: warm addresses are asked for by no more than one command may stock, also where each set has two.
#[test]
fn a_large_warm_target_is_stocked_in_parts() {
    use berth_domain::apply::ADDRESSES_MAX;
    let mut play = Play::new();
    for delete in ["a", "b"] {
        let name = VSwitchName::new(delete).expect("a name");
        let delete = Command::DeleteVSwitch(berth_domain::command::DeleteVSwitch { name });
        assert!(play.apply(delete).result.is_ok());
    }
    let mut dual = create_vswitch("d", "10.9.0.0/22", 1_000);
    if let Command::CreateVSwitch(create) = &mut dual.command {
        let (cidr, gateway) = ("fd00::/64".parse().expect("a cidr"), None);
        create.ipv6 = Some(berth_domain::address::Subnet { cidr, gateway });
    }
    assert!(play.apply(dual.command).result.is_ok());
    assert!(play.apply(register_node("n1", 400).command).result.is_ok());
    play.wake();
    let asked = play.asks();
    let sets: Vec<String> = (0..asked[0].2)
        .map(|number| {
            format!(
                "10.9.{}.{},fd00::{:x}",
                number / 200,
                number % 200 + 1,
                number + 1
            )
        })
        .collect();
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    assert!(2 * sets.len() <= ADDRESSES_MAX, "{}", sets.len());
    play.grant(asked[0].0, &sets);
    assert_eq!(play.settle(), ["stock"]);
    assert_eq!(play.given_back(), [] as [std::net::IpAddr; 0]);
}
