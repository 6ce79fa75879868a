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

/// Member 3's first fetch was lost, the leader has lost patience, and has taken the snapshot that was due by then; meanwhile
/// member 3 was offered the one before it again.
fn fetched_while_the_next_is_taken(mutant: Option<Mutant>) -> Hand {
    let mut hand = Hand::of(&[1, 2, 3], mutant);
    hand.elect(1, &[3]);
    for _ in 0..20 {
        hand.propose(1);
        hand.settle(|letter| letter.to == 3);
    }
    hand.node_mut(3).slow_fetch = true;
    hand.node_mut(1).slow_encoder = true;
    ticks(&mut hand, 10);
    hand.lose_fetch(3);
    for _ in 0..5 {
        hand.propose(1);
        hand.settle(|_| false);
    }
    ticks(&mut hand, PATIENCE);
    assert_eq!(hand.members[&3].fetches, 2, "it was offered again");
    assert_eq!(hand.encode(1), 1, "the next one was being taken");
    hand
}

#[test]
fn a_snapshot_that_is_fetched_is_not_replaced() {
    // Promise: a member gets the snapshot that it was offered although the next one is done before its fetch: the next one
    // waits, and is the newest afterwards (it is not lost). With entries that go on one is always due.
    let mut hand = fetched_while_the_next_is_taken(None);
    let newest = |hand: &Hand| hand.members[&1].replica.status().snapshot.unwrap().index;
    let before = newest(&hand);
    hand.fetch_now(3);
    ticks(&mut hand, 2);
    let applied = |member: u64| hand.members[&member].replica.applied();
    assert_eq!(applied(3), applied(1));
    assert_eq!(hand.members[&3].fetches, 2);
    assert!(newest(&hand) > before);

    let mut broken = fetched_while_the_next_is_taken(Some(Mutant::ReplaceFetchedSnapshot));
    broken.fetch_now(3);
    ticks(&mut broken, 2);
    let applied = |member: u64| broken.members[&member].replica.applied();
    assert!(applied(3) < applied(1), "the check would find it");
}
