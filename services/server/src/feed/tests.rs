//! Who hears of what.

use super::*;
use crate::engine::samples::*;
use berth_domain::Ledger;
use berth_domain::command::*;
use berth_domain::id::*;

fn apply(ledger: &mut Ledger, command: Command) -> Vec<EventGroup> {
    let header = Header {
        ledger_time_ms: 1,
        wall_time_ms: 1,
    };
    let applied = ledger.apply(&header, vec![proposal(command)]);
    assert!(applied.answers[0].result.is_ok(), "{applied:?}");
    applied.groups
}

/// Promise: replaying the changes of a batch on a view drawn earlier gives the view drawn later: nobody misses anything,
/// and nobody hears of what is not its own.
#[test]
fn each_hears_its_own() {
    let mut ledger = Ledger::new(ClusterId::new("test").expect("a name"));
    let mut groups = apply(&mut ledger, create_vswitch("a", "10.0.0.0/24", 0).command);
    groups.extend(apply(
        &mut ledger,
        create_vswitch("b", "10.0.1.0/24", 0).command,
    ));
    groups.extend(apply(&mut ledger, register_node("n1", 0).command));
    groups.extend(apply(&mut ledger, register_node("n2", 0).command));
    let stock = |vswitch, node, address| {
        Command::Stock(Stock {
            vswitch: VSwitchId(vswitch),
            node: NodeId(node),
            eni: None,
            addresses: vec![ip(address)],
        })
    };
    groups.extend(apply(&mut ledger, stock(1, 3, "10.0.0.1")));
    groups.extend(apply(&mut ledger, stock(2, 4, "10.0.1.1")));
    let mut batches = Batches::default();
    batches.take(&groups);
    assert_eq!(batches.revision, Revision(6));
    let dates = |changes: &[Dated]| {
        changes
            .iter()
            .map(|(revision, _)| revision.0)
            .collect::<Vec<u64>>()
    };
    assert_eq!(dates(&batches.vswitches[&VSwitchId(1)]), [1, 5]);
    assert_eq!(dates(&batches.vswitches[&VSwitchId(2)]), [2, 6]);
    assert_eq!(dates(&batches.nodes[&NodeId(3)]), [3, 5]);
    assert_eq!(dates(&batches.nodes[&NodeId(4)]), [4, 6]);
    assert_eq!(dates(&batches.rows), [1, 2, 3, 4]);
    assert_eq!(
        later(batches.nodes[&NodeId(3)].clone(), Revision(3)).len(),
        1
    );
    assert!(later(batches.nodes[&NodeId(3)].clone(), Revision(5)).is_empty());
}

/// Promise: a change of a row from one node to another is heard by both, and its claim's watchers hear of it.
#[test]
fn a_move_is_heard_by_both() {
    let mut ledger = Ledger::new(ClusterId::new("test").expect("a name"));
    apply(&mut ledger, create_vswitch("a", "10.0.0.0/24", 0).command);
    apply(&mut ledger, register_node("n1", 0).command);
    let request = add("c1", "n1");
    let name = ClaimName {
        cluster: request.key.cluster.clone(),
        namespace: request.pod.namespace.clone(),
        pod: request.pod.name.clone(),
    };
    let bind = Command::Bind(Bind {
        parameters: request.parameters(),
        key: request.key,
        node: NodeId(2),
        boot: request.boot,
        invoked_at_ms: 10,
        pod: request.pod,
        vswitch: VSwitchId(1),
        eni: None,
        addresses: vec![ip("10.0.0.1")],
        claim: BindClaim::New {
            name: name.clone(),
            policy: berth_domain::row::Policy::Never,
        },
    });
    let mut groups = apply(&mut ledger, bind);
    for change in &mut groups[0].changes {
        if let Change::Allocation { before, after, .. } = change {
            let there = after.as_deref().cloned().expect("bound");
            let elsewhere = berth_domain::row::Allocation {
                node: NodeId(9),
                ..there
            };
            *before = Some(std::sync::Arc::new(elsewhere));
        }
    }
    let mut batches = Batches::default();
    batches.take(&groups);
    let heard: Vec<u64> = batches.nodes.keys().map(|node| node.0).collect();
    assert_eq!(heard, [2, 9]);
    assert_eq!(batches.claims, [name]);
}

/// Promise: a node hears of an address that begins to rest on one of its ENIs: it takes room there as before. Of one that rests on none
/// it need not hear.
#[test]
fn what_rests_on_an_eni_is_its_nodes() {
    let cooling = |eni: Option<&str>| {
        Some(AddressState::Cooling {
            until_ms: 5,
            node: Some(NodeId(3)),
            eni: eni.map(|eni| EniId::new(eni).expect("a name")),
        })
    };
    assert_eq!(stands_on(&cooling(Some("eni-1"))), Some(NodeId(3)));
    assert_eq!(stands_on(&cooling(None)), None);
}
