//! Order, repeats and refused choices.

use super::world::{Play, told};
use crate::engine::samples::*;
use crate::failure::Failure;
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
