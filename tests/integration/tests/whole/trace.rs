//! The trace of one ADD: from the shim's TRACEPARENT over the server's call to the commit, at the default log filter.

use berth_client::Client;
use berth_proto::v1::{ClusterStatusRequest, ListAllocationsRequest};
use berth_testkit::process::{Cluster, Setup};

use crate::collector::{Collector, Sent};
use crate::programs::{add, client, ipam, world};

/// What the runtime's span is called in these tests: trace, span.
const TRACE: [u8; 16] = *b"one-add's trace!";
const SHIM: [u8; 8] = *b"the-shim";

fn traceparent(trace: &[u8], flags: &str) -> String {
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    format!("00-{}-{}-{flags}", hex(trace), hex(&SHIM))
}

fn start(replicas: usize, collector: &Collector) -> (Cluster, Client) {
    let setup = Setup::default().flag("--otlp-endpoint", &collector.serve());
    let cluster = Cluster::start_with(replicas, &setup).expect("it starts");
    let client = client(&cluster.endpoints());
    (cluster, client)
}

/// Starting processes blocks, and the collector is to be served meanwhile.
async fn started(replicas: usize, collector: &Collector) -> (Cluster, Client) {
    let (collector, runtime) = (collector.clone(), tokio::runtime::Handle::current());
    let start = tokio::task::spawn_blocking(move || {
        let _inside = runtime.enter();
        start(replicas, &collector)
    });
    start.await.expect("no panic")
}

async fn added(endpoints: &[String], container: &str, traceparent: Option<String>) {
    let (ipam, container) = (ipam(endpoints), container.to_owned());
    let run = tokio::task::spawn_blocking(move || {
        let variable = traceparent.as_deref().map(|text| ("TRACEPARENT", text));
        add(&ipam, &container, variable.as_slice())
    });
    let answer = run.await.expect("no panic");
    assert_eq!(answer.exit, 0, "{answer:?}");
}

fn named<'a>(trace: &'a [Sent], name: &str) -> Vec<&'a Sent> {
    trace.iter().filter(|sent| sent.span.name == name).collect()
}

/// The only span of this name.
fn one<'a>(trace: &'a [Sent], name: &str) -> &'a Sent {
    match named(trace, name)[..] {
        [one] => one,
        _ => panic!("not one {name:?} in {trace:?}"),
    }
}

/// The whole way of an ADD that was answered: door, node, journal, each within the one above; and the node's span.
fn check_way(trace: &[Sent]) -> &Sent {
    let node = one(trace, "node.add");
    let calls = named(trace, "call");
    let call = calls
        .iter()
        .find(|call| call.span.span_id == node.span.parent_span_id);
    let call = call.expect("the node's span is a call's");
    assert!(node.is_below(call), "{trace:?}");
    assert_eq!(call.span.parent_span_id, SHIM, "the call is the shim's");
    assert_eq!(call.text("method"), "/berth.v1.Allocator/Allocate");
    assert_eq!(call.number("rpc.grpc.status_code"), Some(0));
    let commit = one(trace, "journal.commit");
    assert!(commit.is_below(node), "{trace:?}");
    assert_eq!(commit.instance, node.instance);
    let number = |key| commit.number(key).expect("it is there");
    assert!(number("batch") >= 1 && number("index") >= 1 && number("commands") == 1);
    assert!(commit.duration_ns() > 0);
    node
}

fn is_whole(trace: &[Sent]) -> bool {
    // A parent ends after its children, and the call is sent last.
    let answered = |sent: &&Sent| sent.number("rpc.grpc.status_code") == Some(0);
    trace.iter().filter(answered).count() >= 1
}

/// Promise: one ADD is one trace, the shim's: the server's call below the shim's span, the node's work below the call, the
/// vSwitch's grant and the commit, with entry and place in the log, below that. A warm address needs no grant.
/// The controls: without a TRACEPARENT it is another trace, and one whose caller does not record it is not sent.
#[tokio::test]
async fn one_add_is_one_trace() {
    let collector = Collector::default();
    let (cluster, client) = started(1, &collector).await;
    world(&client, "10.0.3.0/24", 1).await.expect("made");
    let endpoints = cluster.endpoints();

    const SILENT: [u8; 16] = *b"not recorded one";
    added(&endpoints, "silent", Some(traceparent(&SILENT, "00"))).await;
    added(&endpoints, "alone", None).await;
    added(&endpoints, "traced", Some(traceparent(&TRACE, "01"))).await;

    let trace = collector.trace_when(&TRACE, is_whole).await;
    let node = check_way(&trace);
    assert_eq!(node.text("node"), "worker-1");
    match node.text("found").as_str() {
        "promised" => {
            let grant = one(&trace, "vswitch.grant");
            assert!(grant.is_below(node) && grant.text("vswitch") == "pods");
            assert_eq!(trace.len(), 4, "{trace:?}");
        }
        found => {
            assert_eq!((found, trace.len()), ("warm", 3), "{trace:?}");
        }
    }

    // Sent in the order in which they ended, so that what came before is there by now.
    let ids = allocated(&client).await;
    assert_eq!(ids.len(), 3, "all three were served");
    assert!(
        collector.trace(&SILENT).is_empty(),
        "its caller does not record it"
    );
    let all = collector.all();
    let others = all.iter().filter(|sent| {
        sent.span.name == "call"
            && sent.span.trace_id != TRACE
            && sent.text("method") == "/berth.v1.Allocator/Allocate"
    });
    let alone: Vec<&Sent> = others.collect();
    assert_eq!(alone.len(), 1, "{alone:?}");
    assert!(
        alone[0].span.parent_span_id.is_empty(),
        "it is nobody's child"
    );
}

async fn allocated(client: &Client) -> Vec<String> {
    let list = client.list_allocations(ListAllocationsRequest::default());
    let rows = list.await.expect("a list").allocations;
    let id = |key: berth_proto::v1::AttachmentKey| key.container_id;
    rows.into_iter()
        .filter_map(|row| row.attachment.map(id))
        .collect()
}

/// Promise: an address that the vSwitch grants shows in the trace as a step of its own, with its time.
#[tokio::test]
async fn a_grant_is_a_step_of_its_own() {
    let collector = Collector::default();
    let (cluster, client) = started(1, &collector).await;
    world(&client, "10.0.3.0/24", 0).await.expect("made");
    added(
        &cluster.endpoints(),
        "cold",
        Some(traceparent(&TRACE, "01")),
    )
    .await;
    let trace = collector.trace_when(&TRACE, is_whole).await;
    let node = check_way(&trace);
    let grant = one(&trace, "vswitch.grant");
    assert!(grant.is_below(node) && grant.duration_ns() > 0);
    assert_eq!(
        (node.text("found").as_str(), grant.text("vswitch").as_str()),
        ("promised", "pods")
    );
    let commit = one(&trace, "journal.commit");
    assert!(
        grant.span.end_time_unix_nano <= commit.span.start_time_unix_nano,
        "first the one"
    );
}

/// Promise: with three replicas the trace goes on at the leader, whoever was asked first; the follower's refusal is in the
/// same trace, below the same span of the shim.
#[tokio::test]
async fn a_trace_follows_the_hint_to_the_leader() {
    let collector = Collector::default();
    let (cluster, client) = started(3, &collector).await;
    world(&client, "10.0.3.0/24", 0).await.expect("made");
    let mut followers = Vec::new();
    let mut leaders = Vec::new();
    for (endpoint, client) in client.each() {
        let status = client
            .cluster_status(ClusterStatusRequest {})
            .await
            .expect("a status");
        match status.leader_id == status.member_id {
            true => leaders.push(endpoint),
            false => followers.push(endpoint),
        }
    }
    assert_eq!((leaders.len(), followers.len()), (1, 2));
    // The shim knows one follower, and nobody else.
    let asked = followers.remove(0);
    added(
        std::slice::from_ref(&asked),
        "moved",
        Some(traceparent(&TRACE, "01")),
    )
    .await;

    let both = |trace: &[Sent]| is_whole(trace) && named(trace, "call").len() == 2;
    let trace = collector.trace_when(&TRACE, both).await;
    let instance = |endpoint: &String| {
        let place = cluster
            .endpoints()
            .iter()
            .position(|known| known == endpoint);
        format!("berth-{}", place.expect("one of them") + 1)
    };
    let node = check_way(&trace);
    assert_eq!(node.instance, instance(&leaders[0]));
    let refused = named(&trace, "call")
        .into_iter()
        .find(|call| call.instance == instance(&asked));
    let refused = refused.expect("the follower's call");
    assert_eq!(refused.span.parent_span_id, SHIM);
    assert_eq!(
        refused.number("rpc.grpc.status_code"),
        Some(14),
        "unavailable here"
    );
    assert!(
        !trace
            .iter()
            .any(|sent| sent.span.parent_span_id == refused.span.span_id)
    );
}
