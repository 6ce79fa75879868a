//! What a pool keeps warm, and what it refuses. The first three are Terway's own cases (its `tests/`, TestIPPool, TestSharedENI_IdleIPReclaim,
//! TestSharedENI_WarmUp) in shorter times.

use crate::pods::addresses;
use crate::world::{World, region};
use berth_proto::v1;
use std::time::{Duration, Instant};

const TYPE: &str = "ecs.g7.4xlarge";

async fn set(world: &World, change: impl FnOnce(&mut v1::SetNodePoolRequest)) -> v1::NodePool {
    let mut pool = World::pool(&["pods"], "shared");
    change(&mut pool);
    world.client.set_node_pool(pool).await.expect("set")
}

/// Warm addresses of each node.
async fn idle(world: &World, nodes: usize) -> Vec<usize> {
    let enis = world.enis().await;
    let of = |node: usize| {
        let name = format!("worker-{node}");
        let own = enis
            .iter()
            .filter(|eni| eni.node == name && eni.state == "in use");
        own.map(|eni| eni.addresses.len() - eni.bound as usize)
            .sum()
    };
    (1..=nodes).map(of).collect()
}

/// Promise: with a minimum and maximum of five every node has five warm addresses; with none every one but the primary goes back, and
/// not before a minute of too much has passed.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_keeps_its_bounds() {
    let world = World::usual(3, TYPE, "shared").await;
    set(&world, |pool| (pool.min_idle, pool.max_idle) = (5, 5)).await;
    world
        .until("each has five", async || idle(&world, 3).await == [5, 5, 5])
        .await;
    set(&world, |pool| (pool.min_idle, pool.max_idle) = (0, 0)).await;
    let began = Instant::now();
    world
        .until("each has its primary address alone", async || {
            idle(&world, 3).await == [1, 1, 1]
        })
        .await;
    assert!(
        began.elapsed() >= Duration::from_secs(58),
        "{:?}",
        began.elapsed()
    );
    world.agree().await;
}

/// Promise: what nobody wanted for long goes back in batches, never more than one in its time and never below the minimum.
#[tokio::test(flavor = "multi_thread")]
async fn idle_addresses_go_back_in_batches() {
    let world = World::usual(1, TYPE, "shared").await;
    set(&world, |pool| (pool.min_idle, pool.max_idle) = (10, 10)).await;
    world
        .until("ten are warm", async || idle(&world, 1).await == [10])
        .await;
    set(&world, |pool| {
        (pool.min_idle, pool.max_idle) = (3, 10);
        pool.reclaim_after_ms = 2_000;
        (pool.reclaim_batch, pool.reclaim_every_ms) = (2, 3_000);
    })
    .await;
    let began = Instant::now();
    world
        .until("three are left", async || idle(&world, 1).await == [3])
        .await;
    // Four batches: 2, 2, 2 and 1.
    assert!(
        began.elapsed() >= Duration::from_secs(2 + 3 * 3),
        "{:?}",
        began.elapsed()
    );
    world.agree().await;
    let unassigns = world.calls()["UnassignPrivateIpAddresses"];
    assert_eq!(unassigns, 4);
}

/// Promise: a new node is warmed up, also above what its pool keeps; afterwards the pool's bounds count.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_node_is_warmed_up() {
    let world = World::start(region(1, TYPE)).await;
    world.furnish(0, TYPE, "shared").await;
    let pool = set(&world, |pool| (pool.max_idle, pool.warm_up) = (5, 10)).await;
    assert_eq!(pool.warm_up, 10);
    world.node(1, TYPE).await;
    world
        .until("ten are warm", async || idle(&world, 1).await == [10])
        .await;
    let before = world.changes();
    addresses(world.come((0..8).map(|n| (1, format!("pod-{n}")))).await);
    assert_eq!(world.changes(), before, "all were warm");
    world.settle().await;
    assert_eq!(idle(&world, 1).await, [2], "it is not warmed up again");
    world.agree().await;
}

/// Promise: an exclusive pool refuses acceleration and warns of NetworkPolicies; a pool in few zones warns of that.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_says_what_is_unwise() {
    let world = World::usual(0, TYPE, "shared").await;
    let exclusive = v1::SetNodePoolRequest {
        name: "single".into(),
        network_policy: true,
        ..World::pool(&["pods"], "exclusive")
    };
    let accelerated = v1::SetNodePoolRequest {
        acceleration: true,
        ..exclusive.clone()
    };
    let said = world.client.set_node_pool(accelerated).await;
    let said = said.expect_err("refused").to_string();
    assert!(said.contains("shared ones alone"), "{said}");
    let pool = world.client.set_node_pool(exclusive).await.expect("set");
    assert!(
        pool.warnings
            .iter()
            .any(|text| text.contains("NetworkPolicies"))
    );
    assert!(
        pool.warnings
            .iter()
            .any(|text| text.contains("1 of at least 3 zones"))
    );
    let shared = set(&world, |pool| {
        (pool.acceleration, pool.network_policy) = (true, true)
    })
    .await;
    assert!(
        !shared
            .warnings
            .iter()
            .any(|text| text.contains("NetworkPolicies"))
    );
}

/// Promise: ENIs get the pool's tags; one from which somebody takes a tag is left alone: nothing new comes onto it, nothing warm is taken
/// off, and `check` says so; with the tag it is Berth's again.
#[tokio::test(flavor = "multi_thread")]
async fn an_eni_without_its_tag_is_left_alone() {
    let world = World::usual(1, TYPE, "shared").await;
    set(&world, |pool| {
        pool.eni_tags = [("team".into(), "web".into())].into()
    })
    .await;
    let answers = world.come((0..3).map(|n| (1, format!("pod-{n}")))).await;
    let alone = answers[0].1.as_ref().expect("an address").addresses[0]
        .eni
        .clone();
    addresses(answers);
    world.settle().await;
    let tags = world.cloud.with(|cloud| {
        let eni = cloud.enis().find(|eni| eni.id == alone).expect("there");
        eni.tags.clone()
    });
    assert_eq!(tags.get("team").map(String::as_str), Some("web"));
    world.cloud.with(|cloud| cloud.retag(&alone, &[]));
    let differs = async |kind: &str| {
        let request = v1::CompareCloudRequest::default();
        let compared = world.client.compare_cloud(request).await.expect("compared");
        compared
            .differences
            .iter()
            .any(|one| one.kind == kind && one.eni == alone)
    };
    world
        .until("it is seen", async || differs("untagged").await)
        .await;
    assert!(!differs("vanished").await);
    world
        .client
        .release(World::del(1, "pod-0"))
        .await
        .expect("released");
    let answers = world.come((10..14).map(|n| (1, format!("pod-{n}")))).await;
    for (pod, answer) in &answers {
        let answer = answer
            .as_ref()
            .unwrap_or_else(|error| panic!("{pod}: {error}"));
        assert_ne!(answer.addresses[0].eni, alone, "{pod}");
    }
    let own = |enis: Vec<v1::Eni>| {
        let mut own = enis.into_iter().filter(|eni| eni.id == alone);
        own.next().expect("there").addresses.len()
    };
    assert_eq!(own(world.enis().await), 3, "nothing was taken off");
    let tags: Vec<(String, String)> = tags.into_iter().collect();
    world.cloud.with(|cloud| cloud.retag(&alone, &tags));
    world
        .until("it is Berth's again", async || !differs("untagged").await)
        .await;
    world.agree().await;
}
