//! What a pod costs in calls of the cloud, beside what Terway makes for the same (its source, read; Berth's own are counted by the
//! simulated cloud). Looks are counted too. `cargo test -p berth-integration --test cloud calls -- --nocapture` prints the table.

use crate::pods::addresses;
use crate::world::{World, region};
use berth_proto::v1;

const TYPE: &str = "ecs.g7.4xlarge";

/// One row: what for, what Berth called, the fewest that Terway calls.
struct Row(&'static str, u64, u64);

/// Calls from one moment to another, once nothing is under way.
async fn counted<R>(world: &World, work: impl Future<Output = R>) -> u64 {
    let sum = || world.calls().values().sum::<u64>();
    let before = sum();
    work.await;
    world.settle().await;
    sum() - before
}

fn shown(rows: &[Row]) {
    println!(
        "{:<58} {:>6} {:>7}",
        "calls of the cloud for", "Berth", "Terway"
    );
    for Row(what, berth, terway) in rows {
        println!("{what:<58} {berth:>6} {terway:>6}+");
    }
}

/// So many pods come to a node.
async fn come(world: &World, node: usize, name: &str, count: usize) {
    let pods = (0..count).map(|n| (node, format!("{name}-{n}")));
    addresses(world.come(pods).await);
}

/// Promise: no kind of pod costs more calls than Terway makes at least for it, looks included.
#[tokio::test(flavor = "multi_thread")]
async fn calls_for_each_kind_of_pod() {
    let world = World::start(region(3, TYPE)).await;
    world.furnish(2, TYPE, "shared").await;
    let exclusive = v1::SetNodePoolRequest {
        name: "single".into(),
        ..World::pool(&["pods"], "exclusive")
    };
    world.client.set_node_pool(exclusive).await.expect("set");
    let third = v1::RegisterNodeRequest {
        name: "worker-3".into(),
        zone: "cn-hangzhou-i".into(),
        identity: "i-3".into(),
        instance_type: TYPE.into(),
        pool: "single".into(),
        ..v1::RegisterNodeRequest::default()
    };
    world.client.register_node(third).await.expect("registered");

    // The look at everything, once a minute, is no pod's: the next is after this test.
    world
        .until("the first look at everything", async || {
            let request = v1::CompareCloudRequest::default();
            let compared = world.client.compare_cloud(request).await;
            compared.expect("compared").looked
        })
        .await;
    let new = counted(&world, come(&world, 1, "first", 1)).await;
    let miss = counted(&world, come(&world, 1, "second", 1)).await;
    let ten = counted(&world, come(&world, 1, "ten", 10)).await;
    let end = World::del(1, "second-0");
    world.client.release(end).await.expect("released");
    // Its address rests for a second.
    world
        .until("it is warm", async || {
            let counts = world.counts().await;
            counts.idle == "1"
        })
        .await;
    let hit = counted(&world, come(&world, 1, "third", 1)).await;
    let single = counted(&world, come(&world, 3, "single", 1)).await;
    let remove = v1::RemoveNodeRequest {
        name: "worker-3".into(),
        confirmed_dead: true,
        ..v1::RemoveNodeRequest::default()
    };
    let ended = counted(&world, async {
        world.client.remove_node(remove).await.expect("removed");
        world
            .until("its ENI is gone", async || world.in_cloud().len() == 1)
            .await;
    })
    .await;
    let rows = [
        Row("a pod on a shared ENI, an address warm", hit, 0),
        Row("a pod on a shared ENI, none warm", miss, 1),
        Row("ten pods on a shared ENI, none warm", ten, 1),
        Row("a pod on a new shared ENI", new, 3),
        Row("a pod with an ENI of its own", single, 3),
        Row("an ENI of a pod's own that goes", ended, 4),
    ];
    shown(&rows);
    for Row(what, berth, terway) in rows {
        assert!(
            berth <= terway.max(1) || terway >= berth,
            "{what}: {berth} calls, Terway makes {terway}"
        );
    }
    assert_eq!(hit, 0);
    world.agree().await;
}
