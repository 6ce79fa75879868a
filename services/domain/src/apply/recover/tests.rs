use super::*;
use crate::apply::testing::*;
use crate::command::{Command, ConfirmNode, RegisterMember, SetClusterVersion, Word};
use crate::id::*;
use crate::invariant;
use crate::outcome::Outcome;
use crate::version::CARE;
use crate::{Ledger, ledger};

fn recover(cluster: &str) -> Recover {
    Recover {
        cluster: name(cluster, ClusterId::new),
        kind: crate::row::RecoveryKind::Restored,
        revision_jump: JUMP_MIN,
        unknown_nodes: false,
    }
}

/// Promise (H1, H2, H3, A18): a history with a jump in it follows, replays, comes back from records, and goes on alike; a
/// jump that no recovery made is found.
#[test]
fn a_jump_is_part_of_the_history() {
    let mut world = World::new();
    world.raise(CARE);
    world.bind(world.add("a", "10.0.0.5"));
    world.done(Command::Recover(recover("other")));
    world.release(world.del("a"));
    assert_eq!(world.ledger.revision(), Revision(5 + JUMP_MIN + 1 + 1));
    assert_eq!(world.ledger.cluster().as_str(), "other");
    let start = (Revision(0), crate::event::Chain::default());
    let end = invariant::chain_follows(start, &world.groups).expect("H1, H3");
    assert_eq!(end, (world.ledger.revision(), world.ledger.chain()));
    let empty = Ledger::new(name("test", ClusterId::new));
    invariant::replays(&empty, &world.groups, &world.ledger).expect("H2");
    let restored = Ledger::from_records(world.ledger.records()).expect("its own records");
    invariant::same_apply(&restored, &world.ledger).expect("A18");

    let mut forged = world.groups.clone();
    forged.remove(5);
    let gap = invariant::chain_follows(start, &forged).expect_err("a hole");
    assert_eq!(gap.id, "H1");
    let mut empty = Ledger::new(name("test", ClusterId::new));
    let refused = forged.iter().try_for_each(|group| empty.replay(group));
    assert!(matches!(refused, Err(ledger::Error::Gap { .. })));
}

/// Promise: ids are revisions, so what is made after a recovery has no id that the old cluster can have given; a member
/// of the old cluster is no member, and who speaks for it is refused.
#[test]
fn nothing_of_the_old_cluster_is_given_again() {
    let mut world = World::new();
    world.raise(CARE);
    let member = |cluster: &str| {
        Command::RegisterMember(RegisterMember {
            cluster: name(cluster, ClusterId::new),
            id: MemberId(7),
            name: name("berth-7", NodeName::new),
            client_endpoint: name("http://127.0.0.1:7400", Endpoint::new),
            peer_endpoint: name("http://127.0.0.1:7401", Endpoint::new),
            store: [7; 16],
            vote: crate::command::Vote::AsKnown,
        })
    };
    world.done(member("test"));
    let before = world.ledger.revision().0;
    world.done(Command::Recover(recover("other")));
    assert_eq!(world.ledger.members().count(), 0);
    world.refused(member("test"));
    world.done(member("other"));
    let node = world.node(register_node("worker-3", "i-3"));
    assert!(node.0 > before + JUMP_MIN);
}

/// Promise: a list of nodes that is longer than one record holds comes back whole.
#[test]
fn many_owe_a_report() {
    let mut world = World::new();
    world.raise(CARE);
    for n in 3..2_300 {
        let node = register_node(&format!("worker-{n}"), &format!("i-{n}"));
        let header = crate::command::Header {
            ledger_time_ms: 1,
            wall_time_ms: 1,
        };
        let command = Command::RegisterNode(node);
        world.ledger.apply(&header, vec![proposal(command, "")]);
    }
    world.done(Command::Recover(recover("other")));
    let restored = Ledger::from_records(world.ledger.records()).expect("its own records");
    invariant::same_apply(&restored, &world.ledger).expect("A18");
    let waiting = restored.recovery().map_or(0, |row| row.waiting.len());
    assert_eq!(waiting, 2_299);
}

/// Promise: without a node that could have pods a recovery is closed at once, unless there may be some that nobody knows.
#[test]
fn without_nodes_nobody_is_waited_for() {
    for unknown_nodes in [false, true] {
        let mut ledger = Ledger::new(name("test", ClusterId::new));
        let header = crate::command::Header {
            ledger_time_ms: 1,
            wall_time_ms: 1,
        };
        let command = Command::Recover(Recover {
            unknown_nodes,
            ..recover("other")
        });
        let raise = Command::SetClusterVersion(SetClusterVersion { to: CARE });
        ledger.apply(&header, vec![proposal(raise, "")]);
        ledger.apply(&header, vec![proposal(command, "")]);
        assert_eq!(ledger.is_recovering(), unknown_nodes);
        let confirm = Command::ConfirmNode(ConfirmNode {
            node: UNKNOWN_NODES,
            word: Word::Admin,
            live: Vec::new(),
        });
        let applied = ledger.apply(&header, vec![proposal(confirm, "")]);
        assert!(matches!(
            applied.answers[0].result,
            Ok(Outcome::Confirmed { waiting: 0, .. })
        ));
        assert!(!ledger.is_recovering());
    }
}
