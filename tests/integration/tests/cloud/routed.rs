//! Servers without a cloud, on a ledger that has had one.

use crate::pods::addresses;
use crate::world::World;
use berth_cloud::simulator::Chances;
use berth_proto::v1;

/// Promise: a server that was started without its cloud says so to pods, takes nothing for gone and ends no job; with its cloud it goes
/// on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_cloud_waits() {
    let mut world = World::usual(1, "ecs.g7.4xlarge", "shared").await;
    addresses(world.come((0..5).map(|n| (1, format!("pod-{n}")))).await);
    world.settle().await;
    world.faults(Some(Chances {
        throttled: 1_000,
        ..Chances::default()
    }));
    let coming = world.coming((10..60).map(|n| (1, format!("pod-{n}"))));
    world
        .until("an ENI is being made", async || {
            world
                .jobs()
                .await
                .iter()
                .any(|job| job.work == "create-eni")
        })
        .await;
    let (enis, in_cloud) = (world.enis().await.len(), world.in_cloud().len());
    drop(coming);
    restart(&mut world, [None, None]).await;
    let said = world.refused(1, "pod-a").await;
    assert!(said.contains("has no cloud"), "{said}");
    let status = v1::CloudStatusRequest::default();
    let status = world.client.cloud_status(status).await.expect("answered");
    assert_eq!(status.level, "none");
    assert_eq!(world.enis().await.len(), enis);
    assert!(!world.jobs().await.is_empty());
    assert_eq!(world.in_cloud().len(), in_cloud);
    world.faults(None);
    restart(&mut world, [Some("alibaba"), Some("cn-hangzhou")]).await;
    addresses(world.come((10..60).map(|n| (1, format!("pod-{n}")))).await);
    world.agree().await;
}

async fn restart(world: &mut World, [cloud, region]: [Option<&str>; 2]) {
    let member = &mut world.cluster.members()[0];
    member.kill().expect("killed");
    member.set_flag("--cloud", cloud);
    member.set_flag("--region", region);
    member.restart().expect("started");
    world
        .until("it leads again", async || {
            let request = v1::ClusterStatusRequest::default();
            world.client.cluster_status(request).await.is_ok()
        })
        .await;
}
