//! Servers of a cluster that see each other as ones of another release.

use crate::proxy::Proxy;
use crate::shape::Shape;
use berth_client::{Client, Options};
use berth_proto::v1::*;
use berth_testkit::process::{Cluster, Setup};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Three that serve, of which a follower is killed and catches up, a fourth joins, and the leader is killed: all of it through
/// proxies of this shape.
fn a_life(shape: Shape) {
    let proxies: Arc<Mutex<Vec<Proxy>>> = Arc::default();
    let made = proxies.clone();
    let setup = Setup::default()
        .flag("--snapshot-every-entries", "50")
        .flag("--snapshot-keep-entries", "10")
        .peers_through(move |port| {
            let proxy = Proxy::before(port, shape.clone());
            let told = proxy.port;
            made.lock().expect("nobody panicked").push(proxy);
            told
        });
    let mut cluster = Cluster::start_with(3, &setup).expect("a cluster");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let add = |cluster: &Cluster, from: u32, to: u32| {
        let options = Options {
            deadline: Duration::from_secs(20),
            ..Options::endpoints(cluster.endpoints())
        };
        let client = Client::new(options).expect("endpoints");
        for number in from..to {
            let added = runtime.block_on(client.allocate(allocate(number)));
            added.unwrap_or_else(|error| panic!("{number}: {error}"));
        }
    };
    runtime.block_on(world(&cluster.endpoints()));
    add(&cluster, 0, 40);
    cluster.members()[1].kill().expect("killed");
    add(&cluster, 40, 200);
    cluster.members()[1].restart().expect("started");
    cluster.wait_until_ready().expect("it has caught up");
    cluster.join().expect("a fourth joins");
    add(&cluster, 200, 220);
    cluster.members()[0].kill().expect("killed");
    add(&cluster, 220, 240);
    cluster.members()[0].restart().expect("started");
    cluster.wait_until_ready().expect("all serve");
    let passed: Vec<u64> = proxies
        .lock()
        .expect("nobody panicked")
        .iter()
        .map(Proxy::messages)
        .collect();
    // A start whose port another process took is made again, with new proxies; the last four are the cluster's.
    let of_the_cluster = passed.len().checked_sub(4).map(|from| &passed[from..]);
    assert!(
        of_the_cluster.is_some_and(|counts| counts.iter().all(|count| *count > 10)),
        "{passed:?}"
    );
}

async fn world(endpoints: &[String]) {
    let client = Client::new(Options::endpoints(endpoints)).expect("endpoints");
    let vswitch = CreateVSwitchRequest {
        name: "pods".into(),
        zone: "a".into(),
        ipv4_cidr: "10.8.0.0/20".into(),
        ..Default::default()
    };
    client.create_vswitch(vswitch).await.expect("a vSwitch");
    let node = RegisterNodeRequest {
        name: "worker-1".into(),
        zone: "a".into(),
        identity: "machine-1".into(),
        ..Default::default()
    };
    client.register_node(node).await.expect("a node");
}

fn allocate(number: u32) -> AllocateRequest {
    AllocateRequest {
        attachment: Some(AttachmentKey {
            cluster: "main".into(),
            network: "pods".into(),
            container_id: format!("sandbox-{number}"),
            interface: "eth0".into(),
        }),
        pod: Some(PodIdentity {
            namespace: "shop".into(),
            name: format!("web-{number}"),
            uid: format!("uid-{number}"),
        }),
        node: "worker-1".into(),
        boot_id: "boot-1".into(),
        invoked_at_ms: 1_000,
        ..Default::default()
    }
}

/// Promise: a member of the first release that is kept, by what it says and understands, takes part in everything.
#[test]
fn beside_older_ones() {
    a_life(Shape::of_the_first_release());
}

/// Promise: members that say more than this release understands take part, and it beside them.
#[test]
fn beside_newer_ones() {
    a_life(Shape::Newer);
}
