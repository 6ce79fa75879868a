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
    for _ in 0..5 {
        hand.propose(1);
        hand.settle(|_| false);
    }
    ticks(&mut hand, PATIENCE);
    hand
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
