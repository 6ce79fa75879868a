//! A static address between two sandboxes, as the shim tells it to the runtime.

use berth_proto::v1::{CreateClaimRequest, RegisterNodeRequest};
use berth_testkit::process::Cluster;
use serde_json::{Value, json};

use crate::programs::{Answer, call, client, world};

const POD: &str = "db-0";
/// Two seconds after a DEL without an agent (design §6); an ADD gives up half a second before its deadline.
const SETTLES_MS: u64 = 2_000;
/// A busy machine may need longer than that from the DEL to the ADD's end; then it was no hand-over, and it is tried again.
const TRIES: usize = 20;

fn details(answer: &Answer) -> Value {
    let text = answer.json["details"].as_str().unwrap_or_default();
    serde_json::from_str(text).expect("the details are JSON")
}

/// Promise: an ADD that comes while its static address settles is told so, with the time that is left: code 105 and
/// retry_after_ms; while the address has a live holder it is code 104, with the holder and without a time.
#[tokio::test]
async fn a_pending_hand_over_says_when() {
    let start = tokio::task::spawn_blocking(Cluster::dev);
    let cluster = start.await.expect("no panic").expect("it starts");
    let endpoints = cluster.endpoints();
    let client = client(&endpoints);
    world(&client, "10.0.3.0/24", 0).await.expect("made");
    let other = RegisterNodeRequest {
        name: "worker-2".into(),
        zone: "a".into(),
        identity: "machine-2".into(),
        ..RegisterNodeRequest::default()
    };
    client.register_node(other).await.expect("made");
    let claim = CreateClaimRequest {
        cluster: "default".into(),
        namespace: "shop".into(),
        pod: POD.into(),
        vswitch: "pods".into(),
        addresses: vec!["10.0.3.77".into()],
        policy: "never".into(),
        ..CreateClaimRequest::default()
    };
    client.create_claim(claim).await.expect("made");
    let ipam = |node: &str, deadline_ms: u64| {
        json!({
            "type": "berth-cni", "endpoints": endpoints, "node": node, "deadline_ms": deadline_ms,
        })
    };
    let (patient, hasty) = (ipam("worker-1", 20_000), ipam("worker-2", 1_000));
    let here = |verb: &str| call(verb, &patient, ("here", POD), &[]);
    let there = |verb: &str| call(verb, &hasty, ("there", POD), &[]);

    for _ in 0..TRIES {
        let held = here("ADD");
        assert_eq!(held.exit, 0, "{held:?}");
        assert_eq!(held.json["ips"][0]["address"], "10.0.3.77/24");
        let refused = there("ADD");
        assert_eq!(
            (refused.exit, &refused.json["code"]),
            (1, &json!(104)),
            "{refused:?}"
        );
        let live = json!({
            "holder": "sandbox here on node worker-1", "reason": "HELD_BY_LIVE_HOLDER",
        });
        assert_eq!(details(&refused), live);

        assert_eq!(here("DEL").exit, 0);
        let answer = there("ADD");
        if answer.exit == 0 {
            assert_eq!(there("DEL").exit, 0);
            continue;
        }
        assert_eq!(answer.json["code"], 105, "{answer:?}");
        let details = details(&answer);
        let after_ms = details["retry_after_ms"].as_u64().expect("a number");
        assert!((1..=SETTLES_MS).contains(&after_ms), "{details}");
        assert_eq!(details["reason"], "HELD_BY_LIVE_HOLDER");
        let message = answer.json["msg"].as_str().expect("text");
        assert!(
            message.contains(&format!("try again in {after_ms} ms")),
            "{message}"
        );
        return;
    }
    panic!("no ADD came within {SETTLES_MS} ms of its DEL, {TRIES} times");
}
