//! Pods of nodes in pools get addresses of ENIs.

use crate::world::{Came, World};
use berth_cloud::simulator::Chances;
use berth_proto::v1;
use std::collections::BTreeSet;

/// Every pod has an address of its own on an ENI of its node.
pub fn addresses(answers: Vec<Came>) -> BTreeSet<String> {
    let count = answers.len();
    let mut found = BTreeSet::new();
    for (pod, answer) in answers {
        let answer = answer.unwrap_or_else(|error| panic!("{pod}: {error}"));
        let address = &answer.addresses[0];
        assert!(!address.eni.is_empty(), "{pod}: {address:?}");
        found.insert(address.address.clone());
    }
    assert_eq!(found.len(), count, "an address was given twice");
    found
}

/// Promise: pods on an empty node get addresses of ENIs that are made for them, and the next pod takes a warm one without a call.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_pods_of_a_node() {
    let world = World::usual(1, "ecs.g7.4xlarge", "shared").await;
    let pods = (0..35).map(|n| (1, format!("pod-{n}")));
    addresses(world.come(pods).await);
    world.agree().await;
    let before = world.changes();
    // 35 sets: two ENIs of thirty.
    assert_eq!(before["CreateNetworkInterface"], 2, "{before:?}");
    assert_eq!(before["AttachNetworkInterface"], 2, "{before:?}");
    for n in 0..5 {
        let del = World::del(1, &format!("pod-{n}"));
        assert!(world.client.release(del).await.expect("released").released);
    }
    world
        .until("five have cooled", async || {
            let request = v1::GetNodeRequest {
                name: "worker-1".into(),
                stale: false,
            };
            world.client.get_node(request).await.expect("there").idle >= 5
        })
        .await;
    let pods = (100..105).map(|n| (1, format!("pod-{n}")));
    addresses(world.come(pods).await);
    assert_eq!(world.changes(), before, "a warm address needs no call");
    world.agree().await;
}

/// Promise: two thousand pods on twenty empty nodes cost at most 1.15 times the fewest calls there could be, and no action is
/// called more often than its budget allows.
///
/// The fewest: a call names ten addresses, an ENI holds thirty, so a hundred pods of a node take 4 ENIs (made, attached) and
/// 6 further calls that assign; and one look that shows that all are attached.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_pods_on_empty_nodes() {
    const NODES: usize = 20;
    const PODS: usize = 100;
    let world = World::usual(NODES, "ecs.g7.4xlarge", "shared").await;
    let pods =
        (0..PODS).flat_map(|n| (1..=NODES).map(move |node| (node, format!("pod-{node}-{n}"))));
    let began = std::time::Instant::now();
    addresses(world.come(pods).await);
    let took = began.elapsed();
    world.agree().await;
    let calls = world.calls();
    let made: u64 = calls.values().sum();
    let fewest = (NODES * (4 + 4 + 6) + 1) as u64;
    println!("{NODES} nodes x {PODS} pods: {made} calls in {took:?}, fewest {fewest}: {calls:?}");
    assert!(
        made * 100 <= fewest * 115,
        "{made} calls for {fewest}: {calls:?}"
    );
}

/// Promise: with every kind of fault at every call pods get addresses all the same, none twice, and afterwards cloud and ledger
/// say the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_fails() {
    let world = World::usual(2, "ecs.g7.4xlarge", "shared").await;
    world.faults(Some(Chances {
        error_before: 50,
        error_after: 50,
        lost_before: 50,
        lost_after: 50,
        throttled: 50,
        conflict: 50,
        partial: 200,
    }));
    let pods = (0..60).flat_map(|n| (1..=2).map(move |node| (node, format!("pod-{node}-{n}"))));
    addresses(world.come(pods).await);
    world.faults(None);
    world.agree().await;
}

/// Promise: a leader that is killed in the middle of its cloud calls leaks nothing and repeats nothing: the next one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_is_killed() {
    let mut world = World::usual_with(2, 3).await;
    let pods: Vec<_> = (0..60)
        .flat_map(|n| (1..=2).map(move |node| (node, format!("pod-{node}-{n}"))))
        .collect();
    let coming = world.coming(pods);
    world
        .until("an ENI is on its way", async || {
            !world.jobs().await.is_empty()
        })
        .await;
    world.kill_leader().await;
    addresses(coming.join_all().await);
    world.agree().await;
}

/// Promise: pods that were scheduled to a node find their addresses there: nothing waits for the cloud once they are called for.
#[tokio::test(flavor = "multi_thread")]
async fn scheduled_pods_are_expected() {
    let world = World::usual(1, "ecs.g7.4xlarge", "shared").await;
    let names: Vec<String> = (0..25).map(|n| format!("pod-{n}")).collect();
    let _facts = world.scheduled(1, &names).await;
    world
        .until("twenty-five are warm", async || {
            let request = v1::GetNodeRequest {
                name: "worker-1".into(),
                stale: false,
            };
            world.client.get_node(request).await.expect("there").idle == 25
        })
        .await;
    world.agree().await;
    let before = world.changes();
    addresses(world.come(names.into_iter().map(|name| (1, name))).await);
    assert_eq!(world.changes(), before, "all were there");
    world.agree().await;
}
