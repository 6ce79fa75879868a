//! Several vSwitches of a zone: full ones, drained ones, ones that others use too.

use crate::pods::addresses;
use crate::world::{World, region};
use berth_proto::v1;

fn pods(node: usize, from: usize, count: usize) -> impl Iterator<Item = (usize, String)> {
    (from..from + count).map(move |n| (node, format!("pod-{node}-{n}")))
}

/// Two vSwitches, the first with ten addresses, and two nodes.
async fn two() -> World {
    let mut setup = region(2, "ecs.g7.4xlarge");
    let small = setup.vswitches.iter_mut().find(|row| row.id == "vsw-j");
    let small = small.expect("built in");
    small.zone = "cn-hangzhou-i".into();
    small.cidr = "10.2.0.0/28".parse().expect("a cidr");
    let world = World::start(setup).await;
    world.vswitch("small", "10.2.0.0/28", "", "vsw-j").await;
    world.vswitch("large", "10.1.0.0/20", "", "vsw-i").await;
    let pool = World::pool(&["small", "large"], "shared");
    world.client.set_node_pool(pool).await.expect("set");
    for number in 1..=2 {
        world.node(number, "ecs.g7.4xlarge").await;
    }
    world
}

/// Promise: where a vSwitch is full the next one of the zone is taken, and nobody waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_one_is_taken() {
    let world = two().await;
    addresses(world.come(pods(1, 0, 30)).await);
    world.agree().await;
    let mut of: Vec<String> = world
        .enis()
        .await
        .into_iter()
        .map(|eni| eni.vswitch)
        .collect();
    of.sort();
    of.dedup();
    assert_eq!(of, ["large", "small"]);
}

/// Promise: a vSwitch is drained while its node runs: nothing new comes from it, and its warm addresses go back.
#[tokio::test(flavor = "multi_thread")]
async fn a_vswitch_is_drained() {
    let world = two().await;
    addresses(world.come(pods(1, 0, 8)).await);
    let pool = v1::SetNodePoolRequest {
        draining: vec!["small".into()],
        ..World::pool(&["small", "large"], "shared")
    };
    world.client.set_node_pool(pool).await.expect("set");
    for n in 0..8 {
        let del = World::del(1, &format!("pod-1-{n}"));
        world.client.release(del).await.expect("released");
    }
    let answers = world.come(pods(1, 8, 4)).await;
    for (_, answer) in &answers {
        let answer = answer.as_ref().expect("an address");
        assert!(
            answer.addresses[0].address.starts_with("10.1."),
            "{answer:?}"
        );
    }
    // An ENI so young stays with its primary address.
    world
        .until("the warm ones have gone back", async || {
            let enis = world.enis().await;
            let small = enis.iter().filter(|eni| eni.vswitch == "small");
            small.map(|eni| eni.addresses.len()).sum::<usize>() == 1
        })
        .await;
    world.agree().await;
}

/// Promise: one waiting pod against two hundred warm addresses of another node: some are taken back, and it gets one.
#[tokio::test(flavor = "multi_thread")]
async fn others_warm_addresses_are_taken_back() {
    let mut setup = region(2, "ecs.g7.4xlarge");
    let vswitch = setup.vswitches.iter_mut().find(|row| row.id == "vsw-i");
    vswitch.expect("built in").cidr = "10.1.0.0/24".parse().expect("a cidr");
    let world = World::start(setup).await;
    let vswitch = v1::CreateVSwitchRequest {
        name: "pods".into(),
        zone: "cn-hangzhou-i".into(),
        ipv4_cidr: "10.1.0.0/24".into(),
        // Two hundred are left.
        exclusions: vec!["10.1.0.201-10.1.0.252".into()],
        cooling_ms: 1_000,
        network_kind: "vpc".into(),
        cloud_id: "vsw-i".into(),
        ..v1::CreateVSwitchRequest::default()
    };
    world.client.create_vswitch(vswitch).await.expect("created");
    let pool = v1::SetNodePoolRequest {
        max_idle: 500,
        ..World::pool(&["pods"], "shared")
    };
    world.client.set_node_pool(pool).await.expect("set");
    for number in 1..=2 {
        world.node(number, "ecs.g7.4xlarge").await;
    }
    addresses(world.come(pods(1, 0, 200)).await);
    for n in 0..200 {
        let del = World::del(1, &format!("pod-1-{n}"));
        world.client.release(del).await.expect("released");
    }
    addresses(world.come(pods(2, 0, 1)).await);
    world.agree().await;
}
