//! Several vSwitches of a zone: full ones, drained ones, ones that others use too.

use crate::pods::addresses;
use crate::world::{Came, World, region};
use berth_proto::v1;
use std::collections::BTreeSet;

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

/// Promise: exclusions change while a vSwitch is used: what is free there is given out no more, what somebody has is not taken away.
#[tokio::test(flavor = "multi_thread")]
async fn exclusions_change_while_it_is_used() {
    let world = World::usual(1, "ecs.g7.4xlarge", "shared").await;
    let got = addresses(world.come(pods(1, 0, 3)).await);
    let exclude = |ranges: &[&str]| {
        world.client.set_vswitch(v1::SetVSwitchRequest {
            name: "pods".into(),
            exclusions: ranges.iter().map(ToString::to_string).collect(),
            ..v1::SetVSwitchRequest::default()
        })
    };
    let held = got.iter().next().expect("three");
    let said = exclude(&[held]).await.expect_err("somebody has it");
    assert!(said.to_string().contains(held), "{said}");
    // The first three and what is warm beside them stay below this one.
    exclude(&["10.1.0.64-10.1.0.127"]).await.expect("set");
    let got = addresses(world.come(pods(1, 3, 100)).await);
    let excluded = |at: &&String| {
        let last: u8 = at
            .rsplit('.')
            .next()
            .expect("four")
            .parse()
            .expect("a number");
        at.starts_with("10.1.0.") && (64..128).contains(&last)
    };
    assert_eq!(got.iter().filter(excluded).count(), 0);
    world.agree().await;
}

/// Promise: a full vSwitch of a routed network grows, and whoever waited gets an address at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_vswitch_grows() {
    let world = World::usual(0, "ecs.g7.4xlarge", "shared").await;
    world.routed("10.99.0.0/29").await;
    let got = |answers: Vec<Came>| {
        let one = |(pod, answer): Came| match answer {
            Ok(answer) => answer.addresses[0].address.clone(),
            Err(error) => panic!("{pod}: {error}"),
        };
        answers.into_iter().map(one).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(got(world.come(pods(9, 0, 6)).await), 6);
    let waits = world.coming(pods(9, 6, 20));
    let grown = v1::SetVSwitchRequest {
        name: "routed".into(),
        ipv4_cidr: "10.99.0.0/24".into(),
        ..v1::SetVSwitchRequest::default()
    };
    let grown = world.client.set_vswitch(grown).await.expect("grown");
    assert_eq!(grown.counts[0].size, "256");
    assert_eq!(got(waits.join_all().await), 20);
}
