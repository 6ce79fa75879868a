//! Reads whose round is lost on the way.

use super::hand::{Hand, Letter};
use berth_raft::options::Mutant;
use berth_raft::replica::MessageKind;
use berth_raft::replica::input::Input;
use berth_raft::replica::output::ReadRefused;

const READ: u64 = 7;

fn is_round(letter: &Letter) -> bool {
    matches!(
        letter.kind,
        MessageKind::Heartbeat | MessageKind::ReadAnswer
    )
}

#[test]
fn a_lost_round_is_asked_again() {
    // Promise: a read whose whole round was lost is answered once messages pass again, and not before.
    let mut hand = Hand::of(&[1, 2, 3], None);
    hand.elect(1, &[]);
    hand.propose(1);
    hand.settle(|_| false);
    hand.input(1, Input::Read(READ));
    assert!(hand.wire.iter().any(is_round));
    hand.settle(is_round);
    assert_eq!(hand.members[&1].reads.get(&READ), None);
    // The control: as long as every round is lost it is not answered.
    hand.ticks(1, 3);
    hand.settle(is_round);
    assert_eq!(hand.members[&1].reads.get(&READ), None);
    hand.ticks(1, 3);
    hand.settle(|_| false);
    let applied = hand.members[&1].replica.applied();
    assert_eq!(hand.members[&1].reads.get(&READ), Some(&Ok(applied)));
}

/// Leader 1 is cut off and asked to read; 2 is elected and commits. What became of the read, and what 2 had committed.
fn cut_off(mutant: Option<Mutant>) -> (Option<Result<u64, ReadRefused>>, u64) {
    let mut hand = Hand::of(&[1, 2, 3], mutant);
    hand.elect(1, &[]);
    hand.settle(|_| false);
    // The followers' patience with a leader they have just heard of is over.
    for member in [2, 3] {
        hand.ticks(member, 10);
    }
    hand.wire.clear();
    hand.elect(2, &[1]);
    hand.propose(2);
    hand.settle(|letter| letter.from == 1 || letter.to == 1);
    let committed = hand.members[&2].replica.applied();
    assert!(hand.members[&1].role.leads(), "1 does not know yet");
    hand.input(1, Input::Read(READ));
    hand.wire.clear();
    for _ in 0..40 {
        hand.ticks(1, 1);
        hand.wire.clear();
    }
    (hand.members[&1].reads.get(&READ).copied(), committed)
}

#[test]
fn a_read_of_a_leader_that_is_cut_off_is_refused() {
    // Promise: without a quorum's word a read is refused in the end, and never answered from an old state.
    let (read, _) = cut_off(None);
    assert_eq!(read, Some(Err(ReadRefused::LeadershipLost)));
    let (read, committed) = cut_off(Some(Mutant::ReadWithoutQuorum));
    assert!(
        matches!(read, Some(Ok(index)) if index < committed),
        "the script would find a stale answer"
    );
}

/// A new leader whose first entry reaches nobody is asked to read.
fn too_early(mutant: Option<Mutant>) -> Option<Result<u64, ReadRefused>> {
    let mut hand = Hand::of(&[1, 2, 3], mutant);
    for _ in 0..30 {
        hand.ticks(1, 1);
        hand.settle(|letter| letter.kind == MessageKind::Append);
        if hand.members[&1].role.leads() {
            break;
        }
    }
    let role = hand.members[&1].role;
    assert!(role.leads() && !role.ready);
    hand.input(1, Input::Read(READ));
    hand.settle(|letter| letter.kind == MessageKind::Append);
    hand.ticks(1, 3);
    hand.settle(|_| false);
    assert!(hand.members[&1].role.ready);
    hand.members[&1].reads.get(&READ).copied()
}

#[test]
fn a_read_before_the_first_commit_is_refused_and_not_lost() {
    // Promise: raft-rs drops a read of a leader that has committed nothing in its term; whoever asked is told.
    assert_eq!(too_early(None), Some(Err(ReadRefused::NotReady)));
    assert_eq!(
        too_early(Some(Mutant::ForgetVanishedRead)),
        None,
        "the script would find a lost read"
    );
}
