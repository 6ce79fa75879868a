//! Lists that are longer than a page, through the command line.

use std::collections::BTreeSet;

use berth_client::Client;
use berth_proto::v1::{AllocateRequest, AttachmentKey, CreateVSwitchRequest, PodIdentity};
use berth_testkit::process::Cluster;
use serde_json::Value;

use crate::programs::{berthctl, client, world};

/// More than a page has (500), and the second page is not the last either.
const ALLOCATIONS: usize = 1_101;
const VSWITCHES: usize = 520;
/// Calls at once.
const IN_FLIGHT: usize = 64;

fn sandbox(number: usize) -> AllocateRequest {
    AllocateRequest {
        attachment: Some(AttachmentKey {
            cluster: "default".into(),
            network: "pods".into(),
            container_id: format!("c{number}"),
            interface: "eth0".into(),
        }),
        pod: Some(PodIdentity {
            namespace: "shop".into(),
            name: format!("web-{number}"),
            uid: format!("uid-{number}"),
        }),
        node: "worker-1".into(),
        boot_id: "boot-1".into(),
        invoked_at_ms: 1,
        ..AllocateRequest::default()
    }
}

fn vswitch(number: usize) -> CreateVSwitchRequest {
    CreateVSwitchRequest {
        name: format!("v{number}"),
        zone: "b".into(),
        ipv4_cidr: format!("10.{}.{}.0/24", 64 + number / 256, number % 256),
        ..CreateVSwitchRequest::default()
    }
}

/// So many calls, a few at a time.
async fn fill<F: Future<Output = ()> + Send + 'static>(
    count: usize,
    client: &Client,
    call: impl Fn(Client, usize) -> F,
) {
    let mut numbers = 0..count;
    let mut running = tokio::task::JoinSet::new();
    loop {
        while running.len() < IN_FLIGHT
            && let Some(number) = numbers.next()
        {
            running.spawn(call(client.clone(), number));
        }
        match running.join_next().await {
            Some(done) => done.expect("no panic"),
            None => return,
        }
    }
}

fn strings(items: &Value, key: &str) -> BTreeSet<String> {
    let items = items["items"].as_array().expect("a list");
    let text = |item: &Value| item[key].as_str().expect("text").to_owned();
    items.iter().map(text).collect()
}

/// Promise: a list of more rows than a page has is shown whole, each row once, whole or of one node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_lists_are_shown_whole() {
    let start = tokio::task::spawn_blocking(Cluster::dev);
    let cluster = start.await.expect("no panic").expect("it starts");
    let endpoints = cluster.endpoints();
    let client = client(&endpoints);
    world(&client, "10.0.0.0/20", 0).await.expect("made");
    fill(ALLOCATIONS, &client, |client, number| async move {
        client.allocate(sandbox(number)).await.expect("an address");
    })
    .await;
    fill(VSWITCHES, &client, |client, number| async move {
        client.create_vswitch(vswitch(number)).await.expect("made");
    })
    .await;
    let list = |words: &[&str]| {
        let answer = berthctl(&endpoints[0], words);
        assert_eq!(answer.exit, 0, "{}", answer.log);
        answer.json
    };
    let expected: BTreeSet<String> = (0..ALLOCATIONS)
        .map(|number| format!("c{number}"))
        .collect();
    for words in [
        &["allocation", "list"][..],
        &["allocation", "list", "--node", "worker-1"],
        &["allocation", "list", "--vswitch", "pods"],
        &["allocation", "list", "-n", "shop"],
    ] {
        let listed = list(words);
        assert_eq!(
            listed["items"].as_array().map(Vec::len),
            Some(ALLOCATIONS),
            "{words:?}"
        );
        assert_eq!(strings(&listed, "container_id"), expected, "{words:?}");
    }
    let none = list(&["allocation", "list", "-n", "other"]);
    assert_eq!(
        none["items"].as_array().map(Vec::len),
        Some(0),
        "the control: a filter filters"
    );
    let listed = list(&["vswitch", "list"]);
    let mut expected: BTreeSet<String> =
        (0..VSWITCHES).map(|number| format!("v{number}")).collect();
    expected.insert("pods".into());
    assert_eq!(strings(&listed, "name"), expected);
    assert_eq!(
        listed["items"].as_array().map(Vec::len),
        Some(VSWITCHES + 1)
    );
}
