//! A leader that is lost in the middle of a joint configuration.

use super::hand::Hand;
use berth_raft::options::Mutant;
use berth_raft::replica::input::Change;
use berth_raft::start::Start;

/// Several election timeouts, after which the supervisor has long asked.
const TICKS: usize = 60;

/// Voters 1, 2, 3 and learner 4, which takes 3's place. Leader 1 is lost once the others know that the joint configuration is
/// committed and before they have heard of an entry that leaves it; then 2 leads. Whether 2 has left it in the end.
fn lost_in_the_middle(mutant: Option<Mutant>) -> bool {
    let mut hand = Hand::of(&[1, 2, 3], mutant);
    hand.elect(1, &[]);
    hand.change(1, Change::AddLearner { member: 4 });
    hand.start(4, &Start::Join, mutant);
    for _ in 0..10 {
        hand.ticks(1, 1);
        hand.settle(|_| false);
    }
    let promote = Change::Promote {
        member: 4,
        replaces: Some(3),
    };
    hand.change(1, promote);
    // The entry and its acknowledgements; what 1 says after that is lost with it.
    hand.deliver(|letter| letter.from == 1);
    hand.deliver(|letter| letter.to == 1);
    let joint = hand.membership(1);
    assert_eq!(
        (joint.voters, joint.voters_outgoing),
        (vec![1, 2, 4], vec![1, 2, 3]),
        "1 has applied the joint configuration"
    );
    hand.wire.clear();
    hand.members.remove(&1);
    // The others' patience with a leader they have just heard of ends.
    for member in 2..=4 {
        hand.ticks(member, 10);
    }
    hand.wire.clear();
    hand.elect(2, &[1]);
    for _ in 0..TICKS {
        hand.ticks(2, 1);
        hand.settle(|_| false);
    }
    assert!(hand.members[&2].role.leads());
    let membership = hand.membership(2);
    assert!(membership.voters.contains(&4), "2 knows of the change");
    membership.voters_outgoing.is_empty()
}

#[test]
fn a_joint_configuration_is_left_by_the_next_leader() {
    // Promise: a leader that is lost in the middle of a joint configuration leaves none behind: the next one leaves it,
    // also when raft-rs forgets to; without the supervisor it would stay for ever.
    assert!(lost_in_the_middle(None));
    assert!(lost_in_the_middle(Some(Mutant::RaftForgetsJoint)));
    assert!(!lost_in_the_middle(Some(Mutant::JointNeverLeft)));
}
