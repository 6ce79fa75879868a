//! The main job on one replica: ADD, repeat, CHECK, DEL, GC, history.

use crate::harness::*;
use berth_proto::v1::{self, AddressState, list_history_request::Subject};

/// Promise: an ADD gets an address of the vSwitch, a repeat the same one, a DEL gives it back, and the history says who had it.
#[tokio::test]
async fn an_address_is_given_kept_and_given_back() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    world(&mut admin, "10.0.3.0/24").await;

    let first = allocator
        .allocate(add("one"))
        .await
        .expect("an address")
        .into_inner();
    assert!(first.created && first.claim.is_empty());
    let given = &first.addresses[0];
    assert!(
        given.address.starts_with("10.0.3.") && given.prefix_length == 24,
        "{given:?}"
    );
    let again = allocator
        .allocate(add("one"))
        .await
        .expect("the same")
        .into_inner();
    assert_eq!(
        (again.addresses.clone(), again.created),
        (first.addresses.clone(), false)
    );
    let other = allocator
        .allocate(add("two"))
        .await
        .expect("another")
        .into_inner();
    assert_ne!(other.addresses, first.addresses);

    let check = |address: &str| v1::CheckRequest {
        attachment: key("one"),
        addresses: vec![address.into()],
    };
    allocator
        .check(check(&given.address))
        .await
        .expect("it is its own");
    let wrong = allocator
        .check(check("10.0.3.200"))
        .await
        .expect_err("it is not");
    assert_eq!(refusal(&wrong).code(), v1::RefusalCode::ParametersChanged);

    let released = allocator
        .release(del("one"))
        .await
        .expect("released")
        .into_inner();
    assert!(released.released);
    assert!(
        !allocator
            .release(del("one"))
            .await
            .expect("again")
            .into_inner()
            .released
    );
    let late = allocator
        .allocate(add("one"))
        .await
        .expect_err("invoked before the DEL");
    assert_eq!(refusal(&late).code(), v1::RefusalCode::Tombstone);

    let who = v1::WhoHasRequest {
        stale: false,
        address: given.address.clone(),
        at_wall_ms: 0,
    };
    let who = admin.who_has(who).await.expect("known").into_inner();
    assert_eq!(
        (who.state(), who.vswitch.as_str()),
        (AddressState::Cooling, "pods")
    );
    let history = v1::ListHistoryRequest {
        subject: Some(Subject::Address(given.address.clone())),
        ..Default::default()
    };
    let history = admin
        .list_history(history)
        .await
        .expect("a history")
        .into_inner();
    let causes: Vec<&str> = history
        .groups
        .iter()
        .map(|group| group.cause.as_str())
        .collect();
    assert_eq!(causes, ["bind", "release"]);
    let bind = &history.groups[0];
    assert_eq!(bind.principal, "local");
    let row = bind
        .changes
        .iter()
        .find(|change| change.key == given.address)
        .expect("its row");
    assert_eq!(
        (row.before.as_str(), row.after.as_str()),
        ("never used", "bound web/one on worker-1")
    );
    let then = v1::WhoHasRequest {
        stale: false,
        address: given.address.clone(),
        at_wall_ms: bind.wall_time_ms,
    };
    let then = admin.who_has(then).await.expect("known").into_inner();
    let pod = then
        .allocation
        .expect("it was bound")
        .pod
        .expect("to a pod");
    assert_eq!(pod.name, "one");
}

/// Promise: the shim's trace stands in the history of its ADD.
#[tokio::test]
async fn the_callers_trace_is_kept() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    world(&mut admin, "10.0.3.0/24").await;
    let mut request = tonic::Request::new(add("one"));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request
        .metadata_mut()
        .insert("traceparent", trace.parse().expect("graphic"));
    allocator.allocate(request).await.expect("an address");
    let history = v1::ListHistoryRequest {
        subject: Some(Subject::Pod("web/one".into())),
        ..Default::default()
    };
    let history = admin
        .list_history(history)
        .await
        .expect("a history")
        .into_inner();
    assert_eq!(
        history.groups[0].trace_id,
        "0af7651916cd43dd8448eb211c80319c"
    );
}

/// Promise: a GC ends what it does not name, and nothing else.
#[tokio::test]
async fn a_collection_keeps_what_is_valid() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    world(&mut admin, "10.0.3.0/24").await;
    for container in ["one", "two", "three"] {
        allocator
            .allocate(add(container))
            .await
            .expect("an address");
    }
    let valid = v1::ValidAttachment {
        container_id: "two".into(),
        interface: "eth0".into(),
    };
    let request = v1::CollectRequest {
        cluster: "main".into(),
        network: "pods".into(),
        node: "worker-1".into(),
        boot_id: "boot-1".into(),
        invoked_at_ms: 5_000,
        valid: vec![valid],
    };
    let collected = allocator
        .collect(request)
        .await
        .expect("collected")
        .into_inner();
    assert_eq!(collected.released, 2);
    let left = admin
        .list_allocations(v1::ListAllocationsRequest::default())
        .await
        .expect("a list")
        .into_inner();
    let left: Vec<String> = left
        .allocations
        .into_iter()
        .map(|row| row.pod.expect("a pod").name)
        .collect();
    assert_eq!(left, ["two"]);
}

/// Promise: a static pod's address stays its own: held after the DEL, and given to its next sandbox on another node.
#[tokio::test]
async fn a_claim_keeps_its_address() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    world(&mut admin, "10.0.3.0/24").await;
    admin.register_node(node("worker-2")).await.expect("a node");
    let claim = v1::CreateClaimRequest {
        cluster: "main".into(),
        namespace: "web".into(),
        pod: "web-0".into(),
        vswitch: "pods".into(),
        addresses: vec!["10.0.3.77".into()],
        policy: "never".into(),
        ..Default::default()
    };
    let claim = admin
        .create_claim(claim)
        .await
        .expect("a claim")
        .into_inner();
    assert_eq!(
        (claim.state.as_str(), claim.addresses),
        ("held", vec!["10.0.3.77".to_owned()])
    );
    let of = |container: &str, node: &str| {
        let mut request = add(container);
        request.pod.as_mut().expect("a pod").name = "web-0".into();
        request.node = node.into();
        request
    };
    let first = allocator
        .allocate(of("one", "worker-1"))
        .await
        .expect("its address")
        .into_inner();
    assert_eq!(
        (first.addresses[0].address.as_str(), first.claim.as_str()),
        ("10.0.3.77", "main/web/web-0")
    );
    allocator.release(del("one")).await.expect("released");
    // The old link may outlive its DEL for 2 s: the ADD waits for that by itself.
    let second = allocator
        .allocate(of("two", "worker-2"))
        .await
        .expect("its address")
        .into_inner();
    assert_eq!(second.addresses[0].address, "10.0.3.77");
    let explained = v1::ExplainPodRequest {
        stale: false,
        cluster: "main".into(),
        namespace: "web".into(),
        pod: "web-0".into(),
    };
    let explained = admin
        .explain_pod(explained)
        .await
        .expect("explained")
        .into_inner();
    assert_eq!(explained.claim.expect("a claim").node, "worker-2");
    assert!(
        explained.findings[0].contains("10.0.3.77 on worker-2"),
        "{:?}",
        explained.findings
    );
}
