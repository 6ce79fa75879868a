//! ENIs go: with their node, or because somebody blocks them.

use crate::pods::addresses;
use crate::world::World;
use berth_proto::v1;

const TYPE: &str = "ecs.g7.4xlarge";

/// Promise: what a node that is confirmed dead had in the cloud is detached and deleted, and its addresses are free again.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_node_leaves_nothing() {
    let world = World::usual(2, TYPE, "shared").await;
    let pods = (0..35).map(|n| (1, format!("pod-{n}")));
    addresses(world.come(pods).await);
    world.settle().await;
    assert_eq!(world.in_cloud().len(), 2);
    let remove = v1::RemoveNodeRequest {
        change: None,
        name: "worker-1".into(),
        confirmed_dead: true,
    };
    world.client.remove_node(remove).await.expect("removed");
    world
        .until("its ENIs are gone", async || world.in_cloud().is_empty())
        .await;
    world.agree().await;
    assert_eq!(world.enis().await.len(), 0);
    let counts = world.counts().await;
    assert_eq!(
        (counts.bound.as_str(), counts.releasing.as_str()),
        ("0", "0")
    );
    addresses(world.come((0..5).map(|n| (2, format!("next-{n}")))).await);
    world.agree().await;
}

/// Promise: onto a blocked ENI nothing new comes, what is warm there goes back, and the pods on it are left alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_eni_is_drained() {
    let world = World::usual(1, TYPE, "shared").await;
    let answers = world.come((0..8).map(|n| (1, format!("pod-{n}")))).await;
    let blocked = answers[0].1.as_ref().expect("an address").addresses[0]
        .eni
        .clone();
    addresses(answers);
    let pool = v1::SetNodePoolRequest {
        blocked_enis: vec![blocked.clone()],
        ..World::pool(&["pods"], "shared")
    };
    world.client.set_node_pool(pool).await.expect("set");
    for n in 0..6 {
        let del = World::del(1, &format!("pod-{n}"));
        world.client.release(del).await.expect("released");
    }
    let answers = world.come((10..13).map(|n| (1, format!("pod-{n}")))).await;
    for (pod, answer) in &answers {
        let answer = answer
            .as_ref()
            .unwrap_or_else(|error| panic!("{pod}: {error}"));
        assert_ne!(answer.addresses[0].eni, blocked, "{pod}");
    }
    // The two pods that stay, and the primary address.
    world
        .until("the warm ones have gone back", async || {
            let enis = world.enis().await;
            let eni = enis.iter().find(|eni| eni.id == blocked).expect("there");
            eni.bound == 2 && eni.addresses.len() <= 3
        })
        .await;
    world.agree().await;
}

/// Promise: what the leader asks of the cloud can be seen: its level, and every call that it has made.
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted() {
    let world = World::usual(1, TYPE, "shared").await;
    addresses(world.come((0..3).map(|n| (1, format!("pod-{n}")))).await);
    world.settle().await;
    let status = world.client.cloud_status(v1::CloudStatusRequest {}).await;
    let status = status.expect("known");
    assert_eq!(
        (status.level.as_str(), status.jobs, status.under_way),
        ("normal", 0, 0)
    );
    let calls = status
        .calls
        .iter()
        .map(|one| (one.action.clone(), one.count));
    assert_eq!(
        calls.collect::<std::collections::BTreeMap<_, _>>(),
        world.calls()
    );
}
