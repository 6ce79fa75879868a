//! Elections at the two moments at which raft-rs panics.

use super::hand::Hand;
use berth_raft::options::Mutant;
use berth_raft::replica::MessageKind;
use berth_raft::replica::input::{Change, Input};
use berth_raft::start::Start;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Longer than any election timeout.
const TICKS: usize = 25;

fn asks_for_votes(hand: &Hand, member: u64) -> bool {
    let asks = |letter: &&super::hand::Letter| {
        letter.from == member && letter.kind == MessageKind::VoteRequest
    };
    hand.wire.iter().any(|letter| asks(&letter))
}

/// Member 3 has missed so much that it was sent a snapshot, and its disk is slow.
fn installing(mutant: Option<Mutant>) -> Hand {
    let mut hand = Hand::of(&[1, 2, 3], mutant);
    hand.elect(1, &[3]);
    for _ in 0..20 {
        hand.propose(1);
        hand.settle(|letter| letter.to == 3);
    }
    hand.node_mut(3).slow_install = true;
    for _ in 0..10 {
        hand.ticks(1, 1);
        hand.settle(|_| false);
        if hand.members[&3].installing {
            return hand;
        }
    }
    panic!("the snapshot never came");
}

#[test]
fn nobody_campaigns_while_a_snapshot_is_on_its_way_to_the_disk() {
    // Promise: a follower that hears nothing while it installs a snapshot waits for its disk, and then campaigns.
    let mut hand = installing(None);
    hand.ticks(3, TICKS);
    assert!(!asks_for_votes(&hand, 3));
    hand.confirm(3);
    hand.ticks(3, TICKS);
    assert!(
        asks_for_votes(&hand, 3),
        "the control: it does want to lead"
    );

    let mut hand = installing(Some(Mutant::CampaignWhileInstalling));
    let broken = catch_unwind(AssertUnwindSafe(|| hand.ticks(3, TICKS)));
    assert!(broken.is_err(), "raft-rs itself panics");
}

/// Member 1 has applied that it is the only voter left, and has entries that its disk has not confirmed.
fn alone_and_unsynced(mutant: Option<Mutant>) -> Hand {
    let mut hand = Hand::of(&[1, 2], mutant);
    hand.elect(2, &[]);
    hand.settle(|_| false);
    assert!(hand.node_mut(2).replica.propose_unchecked_removal(2));
    hand.work_of(2);
    hand.deliver(|letter| letter.to == 1);
    hand.node_mut(1).slow_disk = true;
    hand.propose(2);
    hand.deliver(|letter| letter.to == 1);
    // The acknowledgement of the removal and one more proposal in one turn: what leaves says that it is committed.
    let answers: Vec<_> = hand.wire.drain(..).collect();
    assert!(!answers.is_empty());
    for letter in answers {
        hand.note(2, Hand::arrival(&letter));
    }
    hand.propose(2);
    hand.deliver(|letter| letter.to == 1);
    assert_eq!(hand.membership(1).voters, [1]);
    hand
}

#[test]
fn a_lone_voter_campaigns_only_with_a_durable_log() {
    // Promise: who is left alone with entries that are not durable waits for its disk, then leads and has them all.
    let mut hand = alone_and_unsynced(None);
    hand.ticks(1, TICKS);
    assert!(!hand.members[&1].role.leads());
    hand.confirm(1);
    hand.ticks(1, TICKS);
    assert!(hand.members[&1].role.ready);
    assert_eq!(hand.members[&1].replica.machine().count, 2);

    let mut hand = alone_and_unsynced(Some(Mutant::CampaignUnsynced));
    let broken = catch_unwind(AssertUnwindSafe(|| hand.ticks(1, TICKS)));
    assert!(broken.is_err(), "raft-rs itself panics");
}

/// Member 1 is the only voter, member 2 learns from it; member 1 was started again on a disk that does not confirm.
fn a_lone_voter_again(mutant: Option<Mutant>) -> Hand {
    let mut hand = Hand::of(&[1], mutant);
    hand.elect(1, &[]);
    hand.start(2, &Start::Join, mutant);
    hand.change(1, Change::AddLearner { member: 2 });
    for _ in 0..10 {
        hand.ticks(1, 1);
        hand.settle(|_| false);
    }
    assert_eq!(hand.membership(2).learners, [2]);
    hand.wire.clear();
    hand.node_mut(1).slow_disk = true;
    hand.restart(1, mutant);
    hand.ticks(1, TICKS);
    hand
}

#[test]
fn a_lone_voter_speaks_as_leader_only_with_a_durable_term() {
    // Promise: who elects itself says nothing in the new term before a crash would remember it: a learner would take
    // the entries of two leaderships of one term for the same.
    let mut hand = a_lone_voter_again(None);
    assert!(hand.wire.is_empty(), "{:?}", hand.wire);
    hand.confirm(1);
    hand.ticks(1, TICKS);
    assert!(!hand.wire.is_empty(), "the control: it does lead");
    hand.settle(|_| false);
    assert!(hand.members[&1].role.ready);

    let hand = a_lone_voter_again(Some(Mutant::LeadBeforePersist));
    assert!(!hand.wire.is_empty(), "without the rule it speaks at once");
}

#[test]
fn a_tick_alone_elects_nobody_early() {
    // Promise: before the shortest election timeout nobody campaigns, so the scripts above wait for what they say.
    let mut hand = Hand::of(&[1, 2, 3], None);
    hand.ticks(3, 9);
    assert!(!asks_for_votes(&hand, 3));
    hand.input(3, Input::Tick);
    hand.ticks(3, TICKS);
    assert!(asks_for_votes(&hand, 3));
}
