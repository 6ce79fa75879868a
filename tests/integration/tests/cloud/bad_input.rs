//! What cannot be: a clear cause for the pod, and the rest of the cluster goes on.

use crate::pods::addresses;
use crate::world::{World, region};
use axum::Router;
use axum::response::Html;
use berth_cloud::simulator::Simulator;
use berth_cloud::simulator::http::Server;
use berth_proto::v1;
use tokio::net::TcpListener;

const TYPE: &str = "ecs.g7.4xlarge";

/// A pod of a node without a pool gets its address all the same.
async fn others_go_on(world: &World) {
    world.routed("10.99.0.0/24").await;
    let answer = world.client.allocate(World::add(9, "beside")).await;
    assert_eq!(answer.expect("an address").addresses.len(), 1);
}

/// Promise: with wrong credentials a pod is told so, and so is whoever lists the jobs; with the right ones nothing is left over.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials() {
    let cloud = Server::new(Simulator::new(region(1, TYPE), 7));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    let serving = cloud.clone();
    tokio::spawn(async move { serving.serve(listener).await });
    let world = World::told(cloud, &endpoint, "another-secret", 1).await;
    world.furnish(1, TYPE, "shared").await;
    let said = world.refused(1, "pod").await;
    assert!(said.contains("SignatureDoesNotMatch"), "{said}");
    others_go_on(&world).await;
    assert_eq!(world.in_cloud().len(), 0);
}

/// Promise: an endpoint that answers HTML is no cloud, and the pod is told so.
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_answers_html() {
    let page = || async { Html("<html><body>Please log in</body></html>") };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(page)).await });
    let nobody = Server::new(Simulator::new(region(1, TYPE), 7));
    let world = World::told(nobody, &endpoint, "sim-secret", 1).await;
    world.furnish(1, TYPE, "shared").await;
    let said = world.refused(1, "pod").await;
    assert!(
        said.contains("HTML") || said.contains("not the cloud"),
        "{said}"
    );
    others_go_on(&world).await;
}

/// Promise: a security group that was deleted is named, and with another one pods get addresses.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_security_group() {
    let world = World::usual(1, TYPE, "shared").await;
    let deleted = world
        .cloud
        .with(|cloud| cloud.delete_security_group("sg-built-in"));
    assert!(deleted.is_ok(), "{deleted:?}");
    let said = world.refused(1, "pod").await;
    assert!(
        said.contains("sg-built-in") && said.contains("security group"),
        "{said}"
    );
    others_go_on(&world).await;
    let pool = v1::SetNodePoolRequest {
        security_groups: vec!["sg-machines".into()],
        ..World::pool(&["pods"], "shared")
    };
    world.client.set_node_pool(pool).await.expect("set");
    addresses(world.come([(1, "pod".to_owned())]).await);
    world.agree().await;
}

/// Promise: a vSwitch that is in another zone than it was said to be is named with the cloud's words.
#[tokio::test(flavor = "multi_thread")]
async fn a_vswitch_in_another_zone() {
    let world = World::start(region(1, TYPE)).await;
    // It is in zone j.
    world.vswitch("pods", "10.2.0.0/20", "", "vsw-j").await;
    let pool = World::pool(&["pods"], "shared");
    world.client.set_node_pool(pool).await.expect("set");
    world.node(1, TYPE).await;
    let said = world.refused(1, "pod").await;
    assert!(said.contains("zone") || said.contains("Zone"), "{said}");
    others_go_on(&world).await;
    world.settle().await;
    assert_eq!(
        world.in_cloud().len(),
        0,
        "what could not be attached is not left over"
    );
}

/// Promise: addresses that somebody else took meanwhile are avoided from then on, and are nobody's here.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_others_took() {
    let world = World::usual(1, TYPE, "shared").await;
    let mut taken = vec![
        ("VSwitchId".to_owned(), "vsw-i".to_owned()),
        ("SecurityGroupId".to_owned(), "sg-machines".to_owned()),
        ("PrimaryIpAddress".to_owned(), "10.1.0.3".to_owned()),
    ];
    for (place, last) in [4, 5, 7].into_iter().enumerate() {
        taken.push((
            format!("PrivateIpAddress.{}", place + 1),
            format!("10.1.0.{last}"),
        ));
    }
    let taken: Vec<(&str, &str)> = taken
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    world.stranger("CreateNetworkInterface", &taken);
    let pods = (0..25).map(|n| (1, format!("pod-{n}")));
    let got = addresses(world.come(pods).await);
    for foreign in ["10.1.0.3", "10.1.0.4", "10.1.0.5", "10.1.0.7"] {
        assert!(!got.contains(foreign));
    }
    world.agree().await;
    let counts = world.counts().await;
    assert_eq!(counts.foreign, "4");
}

/// Promise: a machine that has more ENIs of others than room for ours is told so, and its pods wait until there is some.
#[tokio::test(flavor = "multi_thread")]
async fn others_enis_take_the_slots() {
    let world = World::usual(1, "ecs.g7.xlarge", "shared").await;
    let mut strangers = Vec::new();
    for _ in 0..3 {
        let group = ("SecurityGroupId", "sg-machines");
        let made = world.stranger("CreateNetworkInterface", &[("VSwitchId", "vsw-i"), group]);
        let eni = made["NetworkInterfaceId"]
            .as_str()
            .expect("an id")
            .to_owned();
        let on = [("NetworkInterfaceId", eni.as_str()), ("InstanceId", "i-1")];
        world.stranger("AttachNetworkInterface", &on);
        strangers.push(eni);
    }
    let said = world.refused(1, "pod").await;
    assert!(said.contains("instance"), "{said}");
    for eni in &strangers {
        let attached = async || {
            let page = [("NetworkInterfaceId.1", eni.as_str())];
            let page = world
                .stranger("DescribeNetworkInterfaces", &page)
                .to_string();
            page.contains("InUse")
        };
        world.until("a stranger's ENI is attached", attached).await;
        let on = [("NetworkInterfaceId", eni.as_str()), ("InstanceId", "i-1")];
        world.stranger("DetachNetworkInterface", &on);
    }
    addresses(world.come([(1, "pod".to_owned())]).await);
    world.agree().await;
}

/// Promise: with a clock too far off for the signature a pod is told so, the rest goes on, and once the clock is right pods get addresses.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_too_far_off() {
    let mut setup = region(1, TYPE);
    setup.clock_ahead_ms = 16 * 60_000;
    let world = World::start(setup).await;
    world.furnish(1, TYPE, "shared").await;
    let said = world.refused(1, "pod").await;
    assert!(said.contains("clock"), "{said}");
    others_go_on(&world).await;
    assert_eq!(world.in_cloud().len(), 0);
    world.cloud.with(|cloud| cloud.setup().clock_ahead_ms = 0);
    addresses(world.come([(1, "pod".to_owned())]).await);
    world.agree().await;
}

/// Promise: a node of a type that nobody knows is refused with what can be done, and the rest goes on.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_type() {
    let world = World::usual(1, TYPE, "shared").await;
    let unknown = v1::RegisterNodeRequest {
        name: "worker-2".into(),
        zone: "cn-hangzhou-i".into(),
        identity: "i-2".into(),
        instance_type: "ecs.unheard-of.large".into(),
        pool: "web".into(),
        ..v1::RegisterNodeRequest::default()
    };
    let said = world.client.register_node(unknown).await;
    let said = said.expect_err("refused").to_string();
    assert!(said.contains("ecs.unheard-of.large"), "{said}");
    addresses(world.come([(1, "pod".to_owned())]).await);
    others_go_on(&world).await;
    world.agree().await;
}
