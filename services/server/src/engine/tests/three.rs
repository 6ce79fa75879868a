//! Three replicas that talk through memory.

use super::cluster::{Cluster, listed, run};
use crate::engine::samples::*;
use crate::failure::Failure;
use crate::leader::Gate;
use crate::node::Allocated;
use berth_domain::id::Revision;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Repeats an ADD at whoever leads, as a client does, until it is answered.
async fn insist(cluster: &Cluster, container: &str, node: &str) -> Allocated {
    loop {
        let (_, gate) = cluster.leader().await;
        match gate.allocate(add(container, node)).await {
            Ok(allocated) => return allocated,
            Err(
                Failure::Unknown { .. }
                | Failure::NotLeader { .. }
                | Failure::Unavailable { .. }
                | Failure::Busy { .. },
            ) => {}
            Err(failure) => panic!("{container}: {failure}"),
        }
    }
}

async fn state(gate: &Gate) -> ([u8; 32], Revision) {
    gate.read_stale(|ledger, _| (ledger.digest(), ledger.revision()))
        .await
        .expect("read")
}

/// Waits until every replica has applied and recorded the leader's revision.
async fn settle(cluster: &Cluster) -> Revision {
    let (_, leader) = cluster.leader().await;
    let revision = leader.read(|ledger| ledger.revision()).await.expect("read");
    for engine in cluster.engines.values() {
        engine
            .gate()
            .history()
            .after(Revision(revision.0 - 1), 1)
            .await
            .expect("reached");
    }
    revision
}

/// An address that two sandboxes were told, if there is one.
fn shared(known: &BTreeMap<String, IpAddr>) -> Option<IpAddr> {
    let mut seen = BTreeSet::new();
    known
        .values()
        .copied()
        .find(|address| !seen.insert(*address))
}

/// Promise: the check for shared addresses finds one (the negative control of the tests here).
#[test]
fn a_shared_address_would_be_found() {
    let mut known = BTreeMap::from([("c1".into(), ip("10.0.0.1")), ("c2".into(), ip("10.0.0.2"))]);
    assert_eq!(shared(&known), None);
    known.insert("c3".into(), ip("10.0.0.1"));
    assert_eq!(shared(&known), Some(ip("10.0.0.1")));
}

/// Promise: what was acknowledged survives the leader's loss in mid-flight; nothing is given twice; an interrupted ADD
/// is never told that it failed; all replicas end in the same state with the same history.
#[test]
fn the_leader_is_lost_in_mid_flight() {
    run(async {
        let mut cluster = Cluster::begin(3).await;
        let (first, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/24", 30_000, &["n0", "n1", "n2"]).await;
        let mut known: BTreeMap<String, IpAddr> = BTreeMap::new();
        for number in 0..20 {
            let container = format!("before-{number}");
            let allocated = allocate(&gate, add(&container, "n0")).await;
            known.insert(container, address(&allocated));
        }
        // Forty at once, and the leader is cut off before any can be answered.
        let flights: Vec<_> = (0..40)
            .map(|number| {
                let gate = gate.clone();
                let container = format!("flight-{number}");
                tokio::task::spawn_local(async move {
                    let answer = gate
                        .allocate(add(&container, &format!("n{}", number % 3)))
                        .await;
                    (container, answer)
                })
            })
            .collect();
        cluster.wires.cut(first);
        let (second, _) = cluster.leader().await;
        assert_ne!(first, second);
        for flight in flights {
            let (container, answer) = flight.await.expect("ends");
            match answer {
                Ok(allocated) => {
                    known.insert(container, address(&allocated));
                }
                Err(Failure::Unknown { .. } | Failure::NotLeader { .. }) => {}
                Err(failure) => panic!("{container} was told {failure:?}"),
            }
        }
        for number in 0..40 {
            let container = format!("flight-{number}");
            let allocated = insist(&cluster, &container, &format!("n{}", number % 3)).await;
            let before = known.insert(container.clone(), address(&allocated));
            assert!(
                before.is_none_or(|before| before == address(&allocated)),
                "{container}"
            );
        }
        for number in 0..20 {
            let container = format!("before-{number}");
            let allocated = insist(&cluster, &container, "n0").await;
            assert_eq!(
                (address(&allocated), allocated.created),
                (known[&container], false)
            );
        }
        assert_eq!((known.len(), shared(&known)), (60, None));

        cluster.wires.mend(first);
        settle(&cluster).await;
        let mut states = Vec::new();
        for engine in cluster.engines.values() {
            states.push(state(&engine.gate()).await);
        }
        assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
        drop(gate);
        cluster.end(first).await;
        cluster.shutdown().await;
    });
}

/// Promise: a follower refuses, and says where the leader is once the ledger knows it; a leader that hands over loses no request.
#[test]
fn a_follower_refuses_and_leadership_can_be_handed_over() {
    run(async {
        use berth_domain::command::{Command, RegisterMember};
        use berth_domain::id::{ClusterId, Endpoint, MemberId, NodeName};
        let cluster = Cluster::begin(3).await;
        let (leader, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/24", 0, &["n0"]).await;
        let register = Command::RegisterMember(RegisterMember {
            cluster: ClusterId::new("test").expect("a name"),
            id: MemberId(leader),
            name: NodeName::new("berth").expect("a name"),
            client_endpoint: Endpoint::new("http://here:7400").expect("a name"),
            peer_endpoint: Endpoint::new("http://here:7401").expect("a name"),
            store: [7; 16],
            vote: Default::default(),
        });
        done(&gate, proposal(register)).await;
        settle(&cluster).await;
        let (_, follower) = cluster
            .engines
            .iter()
            .find(|(id, _)| **id != leader)
            .expect("there are three");
        let refused = failure(follower.gate().allocate(add("c1", "n0")).await);
        let hint = Some("http://here:7400".to_owned());
        assert_eq!(
            refused,
            Failure::NotLeader {
                leader_endpoint: hint
            }
        );
        assert!(matches!(
            failure(follower.gate().read(|_| ()).await),
            Failure::NotLeader { .. }
        ));

        let next = gate.transfer_leadership(None).await.expect("handed over");
        assert_ne!(next, MemberId(leader));
        assert!(matches!(gate.deposed().await, Failure::NotLeader { .. }));
        insist(&cluster, "c1", "n0").await;
        cluster.shutdown().await;
    });
}

/// Promise: before any member has announced itself to the ledger, a follower names its leader by the list that the
/// cluster was begun with: a client that knows only a follower finds the leader at once.
#[test]
fn a_fresh_follower_names_its_leader() {
    run(async {
        let cluster = Cluster::begin(3).await;
        let (leader, gate) = cluster.leader().await;
        let members = gate.read(|ledger| ledger.members().count()).await;
        assert_eq!(members, Ok(0), "nobody is registered");
        let followers = cluster.engines.iter().filter(|(id, _)| **id != leader);
        for (_, follower) in followers {
            let mut role = follower.role();
            role.wait_for(|role| role.leader == Some(leader))
                .await
                .expect("it hears of the leader");
            let refused = failure(follower.gate().allocate(add("c1", "n0")).await);
            let leader_endpoint = Some(listed(leader).1.to_string());
            assert_eq!(refused, Failure::NotLeader { leader_endpoint });
        }
        cluster.shutdown().await;
    });
}

/// Promise: a replica that was away so long that the log no longer reaches back gets snapshot and history from the others,
/// and ends with the same state and a gap-free history.
#[test]
fn a_replica_that_was_long_away_catches_up() {
    run(async {
        let mut cluster = Cluster::begin_with(3, (8, 2)).await;
        let (leader, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/24", 0, &["n0"]).await;
        settle(&cluster).await;
        let away = *cluster
            .engines
            .keys()
            .find(|id| **id != leader)
            .expect("there are three");
        cluster.end(away).await;
        for number in 0..40 {
            insist(&cluster, &format!("c{number}"), "n0").await;
        }
        // The log of those who stayed begins above what the one that was away has.
        let (_, gate_now) = cluster.leader().await;
        let first_index = loop {
            let first = gate_now
                .read_stale(|_, status| {
                    (
                        status.first_index,
                        status.snapshot.as_ref().map_or(0, |meta| meta.index),
                    )
                })
                .await;
            let (first, snapshot) = first.expect("read");
            if first > 30 {
                break (first, snapshot);
            }
            insist(&cluster, &format!("more-{first}-{snapshot}"), "n0").await;
        };
        cluster.restart(away).await;
        let revision = settle(&cluster).await;
        let gate_away = cluster.engines[&away].gate();
        let (digest, at) = state(&gate_away).await;
        let (_, leader_gate) = cluster.leader().await;
        assert_eq!((digest, at), state(&leader_gate).await);
        let installed = gate_away
            .read_stale(|_, status| status.snapshot.as_ref().map_or(0, |meta| meta.index))
            .await
            .expect("read");
        assert!(
            installed > 10,
            "it came by snapshot: {installed}, {first_index:?}"
        );
        let mut after = Revision(0);
        while after < revision {
            let groups = loop {
                match gate_away.history().after(after, 500).await {
                    Ok(groups) => break groups,
                    // The gap is being filled; there is nothing to wait on but the answer itself.
                    Err(Failure::Unavailable { .. }) => tokio::task::yield_now().await,
                    Err(failure) => panic!("{failure}"),
                }
            };
            for group in groups {
                assert_eq!(group.revision.0, after.0 + 1);
                after = group.revision;
            }
        }
        drop((gate, gate_now, gate_away, leader_gate));
        cluster.shutdown().await;
    });
}

/// Promise: a leader that was cut off and deposed never answers a linearizable read, neither before it knows nor after;
/// what it would have said is old by then, as its stale answer shows (the control).
#[test]
fn a_deposed_leader_answers_no_read() {
    run(async {
        let mut cluster = Cluster::begin(3).await;
        let (first, old) = cluster.leader().await;
        furnish(&old, "10.0.0.0/24", 30_000, &["n0"]).await;
        let before = old
            .read(|ledger| ledger.revision())
            .await
            .expect("it leads");
        cluster.wires.cut(first);
        // Asked all the time, from the cut on: whatever is answered must be what was true at the question.
        let asking = tokio::task::spawn_local({
            let old = old.clone();
            async move {
                let mut answers = Vec::new();
                for _ in 0..40 {
                    let read = old.read(|ledger| ledger.revision());
                    answers.push(read.await);
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                answers
            }
        });
        let (second, new) = cluster.leader().await;
        assert_ne!(first, second);
        let allocated = insist(&cluster, "one", "n0").await;
        let now = new
            .read(|ledger| ledger.revision())
            .await
            .expect("it leads");
        assert!(now > before && allocated.revision > before);
        let stale = old.read_stale(|ledger, _| ledger.revision()).await;
        assert_eq!(stale, Ok(before), "it has heard nothing");
        let answers = asking.await.expect("it ends");
        for answer in &answers {
            assert!(
                matches!(
                    answer,
                    Err(Failure::NotLeader { .. } | Failure::Unavailable { .. })
                ),
                "{answer:?}"
            );
        }
        drop((old, new));
        cluster.wires.mend(first);
        cluster.end(first).await;
        cluster.shutdown().await;
    });
}
