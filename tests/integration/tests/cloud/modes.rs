//! Every way in which pods get at ENIs.

use crate::pods::addresses;
use crate::world::World;
use berth_proto::v1;
use std::collections::BTreeSet;

fn pods(node: usize, count: usize) -> impl Iterator<Item = (usize, String)> {
    (0..count).map(move |n| (node, format!("pod-{node}-{n}")))
}

/// Promise: in exclusive mode every pod has an ENI of its own, the primary one of the machine is never touched, and a pod too
/// many is told that the node is full.
#[tokio::test(flavor = "multi_thread")]
async fn an_eni_for_each_pod() {
    let world = World::usual(1, "ecs.g7.4xlarge", "exclusive").await;
    let answers = world.come(pods(1, 7)).await;
    let enis = answers.iter().map(|(_, answer)| {
        let answer = answer.as_ref().expect("an address");
        answer.addresses[0].eni.clone()
    });
    assert_eq!(enis.collect::<BTreeSet<_>>().len(), 7);
    addresses(answers);
    let refused = world.client.allocate(World::add(1, "one-more")).await;
    let said = refused.expect_err("full").to_string();
    assert!(said.contains("7"), "{said}");
    world.agree().await;
}

/// Promise: in trunk mode a node has one trunk, and it carries addresses as the others do.
#[tokio::test(flavor = "multi_thread")]
async fn one_trunk_per_node() {
    let world = World::usual(1, "ecs.g7.xlarge", "shared+trunk").await;
    addresses(world.come(pods(1, 20)).await);
    world.agree().await;
    let kinds: Vec<String> = world.enis().await.into_iter().map(|eni| eni.kind).collect();
    assert_eq!(kinds, ["trunk", "secondary"]);
}

/// Promise: with both families a pod gets one of each, on one ENI.
#[tokio::test(flavor = "multi_thread")]
async fn both_families() {
    let world = World::start(crate::world::region(1, "ecs.g7.xlarge")).await;
    world
        .vswitch("pods", "10.1.0.0/20", "2408:4005:300:1::/64", "vsw-i")
        .await;
    let pool = World::pool(&["pods"], "shared");
    world.client.set_node_pool(pool).await.expect("set");
    world.node(1, "ecs.g7.xlarge").await;
    let answers = world.come(pods(1, 24)).await;
    for (pod, answer) in &answers {
        let answer = answer
            .as_ref()
            .unwrap_or_else(|error| panic!("{pod}: {error}"));
        let [ipv4, ipv6] = &answer.addresses[..] else {
            panic!("{pod}: {answer:?}");
        };
        assert!(ipv4.address.contains('.') && ipv6.address.contains(':'));
        assert_eq!(ipv4.eni, ipv6.eni, "{pod}");
    }
    addresses(answers);
    world.agree().await;
}

/// Promise: both kinds of nodes stand in one cluster, and each has what its pool says.
#[tokio::test(flavor = "multi_thread")]
async fn both_kinds_in_one_cluster() {
    let world = World::usual(2, "ecs.g7.4xlarge", "shared").await;
    let single = v1::SetNodePoolRequest {
        name: "single".into(),
        ..World::pool(&["pods"], "exclusive")
    };
    world.client.set_node_pool(single).await.expect("set");
    let moved = v1::RegisterNodeRequest {
        name: "worker-2".into(),
        zone: "cn-hangzhou-i".into(),
        identity: "i-2".into(),
        instance_type: "ecs.g7.4xlarge".into(),
        pool: "single".into(),
        ..v1::RegisterNodeRequest::default()
    };
    let register = || world.client.register_node(moved.clone());
    let said = register().await.expect_err("an empty node keeps its mode");
    assert!(said.to_string().contains("shared for life"), "{said}");
    let remove = v1::RemoveNodeRequest {
        name: "worker-2".into(),
        ..v1::RemoveNodeRequest::default()
    };
    world.client.remove_node(remove).await.expect("it is empty");
    register().await.expect("a new node");
    addresses(world.come(pods(1, 5).chain(pods(2, 3))).await);
    world.agree().await;
    let of = |enis: &[v1::Eni], node: &str| enis.iter().filter(|eni| eni.node == node).count();
    let enis = world.enis().await;
    assert_eq!((of(&enis, "worker-1"), of(&enis, "worker-2")), (1, 3));
    let back = v1::RegisterNodeRequest {
        pool: "web".into(),
        ..moved
    };
    let said = world
        .client
        .register_node(back)
        .await
        .expect_err("a node keeps its mode");
    assert!(said.to_string().contains("3 ENIs"), "{said}");
}
