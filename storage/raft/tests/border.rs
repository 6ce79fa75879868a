//! The border to the other replicas: what comes over the wire is looked at before raft-rs, which panics easily.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use berth_raft::memory::Memory;
use berth_raft::options::Options;
use berth_raft::replica::Replica;
use berth_raft::replica::input::Input;
use berth_raft::simulation::counter::{Counter, CounterLoad};
use berth_raft::simulation::network::{Packet, Verdict};
use berth_raft::simulation::plan::Plan;
use berth_raft::simulation::random::Random;
use berth_raft::simulation::world::World;
use berth_raft::start::{self, Start};
use berth_raft::status::Sender;
use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{Entry, Message, MessageType};
use std::cell::RefCell;
use std::rc::Rc;

fn replica(member: u64) -> Replica<Counter> {
    let start = Start::Bootstrap {
        members: vec![1, 2, 3],
    };
    start::open(
        &mut Memory::new(),
        &start,
        Counter::default(),
        Options::new(member, [1; 16], 1),
    )
    .unwrap()
}

fn from(member: u64) -> Sender {
    Sender {
        member,
        store: [0; 16],
    }
}

fn give(replica: &mut Replica<Counter>, sender: u64, message: &Message) {
    let messages = vec![Bytes::from(message.write_to_bytes().unwrap())];
    replica
        .handle(Input::Messages {
            from: from(sender),
            messages,
        })
        .unwrap();
    replica.outputs().unwrap();
}

fn message(kind: MessageType) -> Message {
    let mut message = Message {
        from: 2,
        to: 1,
        term: 6,
        ..Message::default()
    };
    message.set_msg_type(kind);
    message
}

#[test]
fn only_raft_between_members_passes() {
    // Promise: no message type that steers a leader from outside, or that raft-rs trusts, is ever taken from the wire.
    let forbidden = [
        MessageType::MsgHup,
        MessageType::MsgBeat,
        MessageType::MsgPropose,
        MessageType::MsgUnreachable,
        MessageType::MsgSnapStatus,
        MessageType::MsgCheckQuorum,
        MessageType::MsgTransferLeader,
        MessageType::MsgReadIndex,
        MessageType::MsgReadIndexResp,
        // Only the leader of the term may send it, and there is none yet.
        MessageType::MsgTimeoutNow,
    ];
    for kind in forbidden {
        let mut replica = replica(1);
        give(&mut replica, 2, &message(kind));
        assert_eq!(replica.status().messages_refused, 1, "{kind:?}");
        assert_eq!(
            replica.term(),
            start::BOOTSTRAP_TERM,
            "{kind:?} moved the term"
        );
    }
    // The control: a heartbeat is taken.
    let mut replica = replica(1);
    give(&mut replica, 2, &message(MessageType::MsgHeartbeat));
    assert_eq!((replica.status().messages_refused, replica.term()), (0, 6));
}

#[test]
fn a_message_says_truly_where_it_comes_from_and_goes_to() {
    // Promise: receiver, sender and store are checked against what the connection knows.
    let heartbeat = message(MessageType::MsgHeartbeat);
    let refused = |sender: Sender, message: Message, stores: &[(u64, [u8; 16])]| {
        let mut replica = replica(1);
        replica
            .handle(Input::KnownStores(stores.iter().copied().collect()))
            .unwrap();
        let messages = vec![Bytes::from(message.write_to_bytes().unwrap())];
        replica
            .handle(Input::Messages {
                from: sender,
                messages,
            })
            .unwrap();
        replica.status().messages_refused == 1
    };
    assert!(!refused(from(2), heartbeat.clone(), &[]), "the control");
    assert!(
        refused(from(3), heartbeat.clone(), &[]),
        "member 3 says it is 2"
    );
    assert!(
        refused(
            from(2),
            Message {
                to: 3,
                ..heartbeat.clone()
            },
            &[]
        ),
        "meant for another"
    );
    assert!(
        refused(from(2), heartbeat.clone(), &[(2, [7; 16])]),
        "another store"
    );
    assert!(
        !refused(from(2), heartbeat.clone(), &[(2, [0; 16])]),
        "the registered store"
    );
    assert!(
        refused(
            from(2),
            Message {
                request_snapshot: 5,
                ..heartbeat.clone()
            },
            &[]
        ),
        "forces a snapshot"
    );
    assert!(
        refused(
            from(2),
            Message {
                priority: -1,
                ..heartbeat
            },
            &[]
        ),
        "steers elections"
    );
    let mut answer = message(MessageType::MsgAppendResponse);
    answer.from = 9;
    assert!(refused(from(9), answer, &[]), "an answer of a stranger");
}

#[test]
fn entries_with_gaps_or_wrong_terms_are_refused() {
    // Promise: an append message whose entries do not follow each other never reaches the log.
    let append = |entries: &[(u64, u64)]| {
        let mut append = message(MessageType::MsgAppend);
        append.index = start::BOOTSTRAP_INDEX;
        append.log_term = start::BOOTSTRAP_TERM;
        let entries: Vec<Entry> = entries
            .iter()
            .map(|(index, term)| Entry {
                index: *index,
                term: *term,
                ..Entry::default()
            })
            .collect();
        append.set_entries(entries.into());
        let mut replica = replica(1);
        give(&mut replica, 2, &append);
        (
            replica.status().messages_refused,
            replica.status().last_index,
        )
    };
    assert_eq!(append(&[(6, 5), (7, 6)]), (0, 7), "the control");
    assert_eq!(append(&[(6, 5), (8, 6)]), (1, 5), "a gap");
    assert_eq!(append(&[(7, 6)]), (1, 5), "a gap at the beginning");
    assert_eq!(append(&[(6, 6), (7, 5)]), (1, 5), "terms fall");
    assert_eq!(append(&[(6, 7)]), (1, 5), "from the future");
}

/// Real traffic of a short, troubled run.
fn traffic() -> Vec<Packet> {
    let mut plan = Plan::calm(3);
    plan.options.snapshot_every_entries = 5;
    plan.options.keep_entries = 2;
    plan.propose_per_mille = 200;
    plan.read_per_mille = 50;
    plan.crash_per_mille = 3;
    plan.restart_per_mille = 20;
    let mut world = World::new(21, plan, CounterLoad::default()).unwrap();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let copies = Rc::clone(&seen);
    world.set_filter(Some(Box::new(move |packet: &Packet| {
        copies.borrow_mut().push(packet.clone());
        Verdict::Deliver
    })));
    world.run(3_000).unwrap();
    world.set_filter(None);
    drop(world);
    Rc::into_inner(seen).unwrap().into_inner()
}

/// Changes a message the way a hostile member could: any field, any value near or far.
fn bend(bytes: &Bytes, random: &mut Random) -> Bytes {
    let mut bent = Message::default();
    bent.merge_from_bytes(bytes).unwrap();
    let value = match random.below(4) {
        0 => random.below(4),
        1 => random.below(200),
        2 => u64::MAX - random.below(3),
        _ => random.any(),
    };
    match random.below(13) {
        0 => bent.term = value,
        1 => bent.index = value,
        2 => bent.log_term = value,
        3 => bent.commit = value,
        4 => bent.commit_term = value,
        5 => bent.reject = !bent.reject,
        6 => bent.reject_hint = value,
        7 => bent.context = Bytes::from(value.to_le_bytes().to_vec()),
        8 => bent
            .mut_entries()
            .iter_mut()
            .for_each(|entry| entry.index = entry.index.wrapping_add(value)),
        9 => bent
            .mut_entries()
            .iter_mut()
            .for_each(|entry| entry.term = value),
        10 => bent.mut_snapshot().mut_metadata().index = value,
        11 => bent
            .mut_snapshot()
            .mut_metadata()
            .mut_conf_state()
            .mut_voters()
            .push(value),
        _ => {
            let mut raw = bytes.to_vec();
            let position = random.below(raw.len() as u64) as usize;
            raw[position] ^= 1 << random.below(8);
            return Bytes::from(raw);
        }
    }
    Bytes::from(bent.write_to_bytes().unwrap())
}

#[test]
fn bent_messages_never_panic() {
    // Promise: whatever a member sends, a replica refuses it, takes it, or stops with a reason; it does not panic.
    let packets = traffic();
    assert!(packets.len() > 2_000, "{}", packets.len());
    let mut random = Random::new(99);
    let mut taken = 0u64;
    let mut refused = 0u64;
    for round in 0..1_000 {
        let mut replica = replica(1 + round % 3);
        let member = 1 + round % 3;
        let start = random.below(packets.len() as u64 - 400) as usize;
        for packet in packets[start..start + 400]
            .iter()
            .filter(|packet| packet.to == member)
        {
            let message = if random.chance(300) {
                bend(&packet.message, &mut random)
            } else {
                packet.message.clone()
            };
            let input = Input::Messages {
                from: packet.from,
                messages: vec![message],
            };
            if replica.handle(input).is_err() || replica.handle(Input::Tick).is_err() {
                break;
            }
            let Ok(outputs) = replica.outputs() else {
                break;
            };
            for output in outputs {
                if let berth_raft::replica::output::Output::Persist { number, .. } = output {
                    replica.handle(Input::Persisted(number)).unwrap();
                }
            }
            taken += 1;
        }
        refused += replica.status().messages_refused;
    }
    assert!(
        taken > 20_000 && refused > 1_000,
        "taken {taken}, refused {refused}"
    );
}

#[test]
fn bent_messages_in_a_living_cluster_never_panic() {
    // Promise: the same among replicas that lead, follow and install snapshots; a liar can do harm, but not that.
    let mut random = Random::new(5);
    let mut injected = 0u64;
    for seed in 0..60 {
        let mut plan = Plan::drawn(seed, 3);
        plan.crash_per_mille = 0;
        let mut world = World::new(seed, plan, CounterLoad::default()).unwrap();
        let seen = Rc::new(RefCell::new(Vec::new()));
        let copies = Rc::clone(&seen);
        world.set_filter(Some(Box::new(move |packet: &Packet| {
            copies.borrow_mut().push(packet.clone());
            Verdict::Deliver
        })));
        for _ in 0..1_500 {
            // A liar may break any rule from here on; only panics count.
            if world.step().is_err() {
                break;
            }
            let packets = std::mem::take(&mut *seen.borrow_mut());
            for packet in packets {
                if !random.chance(100) {
                    continue;
                }
                let messages = vec![bend(&packet.message, &mut random)];
                world.input(
                    packet.to,
                    Input::Messages {
                        from: packet.from,
                        messages,
                    },
                );
                injected += 1;
            }
        }
    }
    assert!(injected > 2_000, "injected {injected}");
}
