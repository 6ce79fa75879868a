//! A snapshot that is fetched while the next one is made.

use super::hand::Hand;
use berth_raft::options::Mutant;

/// Longer than the leader waits for a sign of life.
const PATIENCE: usize = 60;

fn ticks(hand: &mut Hand, count: usize) {
    for _ in 0..count {
        hand.ticks(1, 1);
        hand.settle(|_| false);
    }
}

/// Member 3's fetch has failed, the leader has lost patience, and takes the snapshot that is due by then.
fn while_the_next_is_taken(mutant: Option<Mutant>) -> Hand {
    let mut hand = Hand::of(&[1, 2, 3], mutant);
    hand.elect(1, &[3]);
    for _ in 0..20 {
        hand.propose(1);
        hand.settle(|letter| letter.to == 3);
    }
    hand.node_mut(3).loses_fetches = true;
    hand.node_mut(1).slow_encoder = true;
    ticks(&mut hand, 10);
    assert_eq!(hand.members[&3].fetches, 1, "it was offered one");
    put(&mut hand);
    ticks(&mut hand, PATIENCE);
    hand
}

/// As much as makes the next snapshot due.
fn put(hand: &mut Hand) {
    for _ in 0..5 {
        hand.propose(1);
        hand.settle(|_| false);
    }
}

#[test]
fn a_snapshot_that_is_about_to_go_is_not_offered() {
    // Promise: while the next snapshot is taken the one before it is not offered, because it would be gone before it is
    // fetched, and with entries that go on the next one is always due; the next one is offered, and brings the member up.
    let mut hand = while_the_next_is_taken(None);
    assert_eq!(hand.members[&3].fetches, 1, "not the old one again");
    hand.node_mut(3).loses_fetches = false;
    assert_eq!(hand.encode(1), 1, "the next one was being taken");
    ticks(&mut hand, 10);
    assert_eq!(hand.members[&3].fetches, 2);
    let applied = |member: u64| hand.members[&member].replica.applied();
    assert_eq!(applied(3), applied(1));

    let broken = while_the_next_is_taken(Some(Mutant::OfferReplacedSnapshot));
    assert!(broken.members[&3].fetches > 1, "the check would find it");
}

/// Each image takes so long that the next one is due when it is done; whether member 3 was offered one of them.
fn always_due(mutant: Option<Mutant>) -> bool {
    let mut hand = while_the_next_is_taken(mutant);
    hand.node_mut(3).loses_fetches = false;
    for _ in 0..5 {
        put(&mut hand);
        ticks(&mut hand, 10);
        assert_eq!(hand.encode(1), 1, "one is being taken all the time");
        hand.settle(|_| false);
    }
    hand.members[&3].fetches > 1
}

#[test]
fn who_waits_for_the_next_snapshot_gets_it_before_another_is_taken() {
    // Promise: a member that asked while a snapshot was taken is offered it when it is there, even if the one after it is due
    // by then; else a leader under load would take one after the other and offer none.
    assert!(always_due(None));
    assert!(
        !always_due(Some(Mutant::ForgetWhoWaits)),
        "the check would find it"
    );
}
