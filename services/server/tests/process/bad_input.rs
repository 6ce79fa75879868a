//! Bad input: each gives a clear error that names the field and the limit, and nothing is lost or changed.

use crate::harness::*;
use berth_proto::v1::{self, RefusalCode};
use tonic::Code;

/// What is wrong with it, the code, the refusal, the field, and words that its message must have.
type Expected = (Code, RefusalCode, &'static str, &'static [&'static str]);

fn check(what: &str, status: &tonic::Status, expected: &Expected) {
    let (code, refusal_code, field, words) = expected;
    let refusal = refusal(status);
    assert_eq!(
        (status.code(), refusal.code()),
        (*code, *refusal_code),
        "{what}: {status:?}"
    );
    assert_eq!(refusal.field, *field, "{what}: {}", refusal.message);
    for word in *words {
        assert!(
            refusal.message.contains(word),
            "{what}: {word:?} is not in {:?}",
            refusal.message
        );
    }
}

const fn invalid(field: &'static str, words: &'static [&'static str]) -> Expected {
    (Code::InvalidArgument, RefusalCode::Invalid, field, words)
}

/// Promise: a malformed or over-long field of an ADD is refused by name and limit, and the ledger stays as it was.
#[tokio::test]
async fn a_bad_add_is_refused() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    world(&mut admin, "10.0.3.0/24").await;
    type Spoil = fn(&mut v1::AllocateRequest);
    let cases: [(Spoil, Expected); 11] = [
        (
            |request| request.attachment = None,
            invalid("attachment", &["missing"]),
        ),
        (
            |request| request.attachment.as_mut().expect("a key").container_id = "x".repeat(129),
            invalid("attachment.container_id", &["129 bytes", "at most 128"]),
        ),
        (
            |request| request.attachment.as_mut().expect("a key").interface = "eth/0".into(),
            invalid("attachment.interface", &["'/'", "at most 15"]),
        ),
        (
            |request| request.attachment.as_mut().expect("a key").network = String::new(),
            invalid("attachment.network", &["empty", "at most 63"]),
        ),
        (
            |request| request.pod.as_mut().expect("a pod").name = "x".repeat(254),
            invalid("pod.name", &["254 bytes", "at most 253"]),
        ),
        (
            |request| request.deadline_ms = 10,
            invalid("deadline_ms", &["1000 to 120000"]),
        ),
        (
            |request| request.requested_addresses = vec!["10.0.3.0/24".into()],
            invalid("requested_addresses", &["IP address"]),
        ),
        (
            |request| request.requested_addresses = vec!["10.0.3.1".into(), "10.0.3.2".into()],
            invalid("requested_addresses", &["at most one each"]),
        ),
        (
            |request| request.node = "worker-9".into(),
            (Code::NotFound, RefusalCode::NotFound, "node", &["worker-9"]),
        ),
        (
            |request| request.vswitch = "nowhere".into(),
            (
                Code::NotFound,
                RefusalCode::NotFound,
                "vswitch",
                &["nowhere"],
            ),
        ),
        (
            |request| request.requested_addresses = vec!["10.9.9.9".into()],
            (
                Code::OutOfRange,
                RefusalCode::OutOfRange,
                "requested_addresses",
                &["10.9.9.9", "pods 10.0.3.0/24"],
            ),
        ),
    ];
    let before = revision(&mut admin).await;
    for (place, (spoil, expected)) in cases.into_iter().enumerate() {
        let mut request = add("one");
        spoil(&mut request);
        let status = allocator
            .allocate(request)
            .await
            .expect_err("it must be refused");
        check(&format!("case {place}"), &status, &expected);
    }
    assert_eq!(revision(&mut admin).await, before, "nothing was changed");
    allocator
        .allocate(add("one"))
        .await
        .expect("a good one is served");
}

/// Promise: an address in use names its holder; the same key with other parameters is refused.
#[tokio::test]
async fn an_address_in_use_names_its_holder() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    world(&mut admin, "10.0.3.0/24").await;
    let asked = |container: &str, address: &str| {
        let mut request = add(container);
        request.requested_addresses = vec![address.into()];
        request
    };
    allocator
        .allocate(asked("one", "10.0.3.9"))
        .await
        .expect("free");
    let status = allocator
        .allocate(asked("two", "10.0.3.9"))
        .await
        .expect_err("in use");
    check(
        "in use",
        &status,
        &(
            Code::FailedPrecondition,
            RefusalCode::AddressInUse,
            "",
            &["10.0.3.9", "web/one"],
        ),
    );
    assert!(refusal(&status).holder.contains("web/one"));
    let status = allocator
        .allocate(asked("one", "10.0.3.10"))
        .await
        .expect_err("changed");
    check(
        "changed",
        &status,
        &(
            Code::FailedPrecondition,
            RefusalCode::ParametersChanged,
            "",
            &["other parameters"],
        ),
    );
}

/// Promise: a bad vSwitch is refused: host bits, overlap, the other family, unknown kinds; each names field or both sides.
#[tokio::test]
async fn a_bad_vswitch_is_refused() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let mut admin = berthd.admin().await;
    world(&mut admin, "10.0.3.0/24").await;
    type Spoil = fn(&mut v1::CreateVSwitchRequest);
    let exists = (
        Code::AlreadyExists,
        RefusalCode::AlreadyExists,
        "",
        &["pods"] as &[_],
    );
    let cases: [(Spoil, Expected); 12] = [
        (
            |request| request.ipv4_cidr = "10.0.4.7/24".into(),
            invalid("ipv4_cidr", &["host bits", "10.0.4.0/24"]),
        ),
        (
            |request| request.ipv4_cidr = String::new(),
            invalid("ipv4_cidr", &["missing"]),
        ),
        (
            |request| request.ipv4_cidr = "fd00::/64".into(),
            invalid("ipv4_cidr", &["other family"]),
        ),
        (
            |request| request.ipv4_gateway = "10.0.9.1".into(),
            invalid("ipv4_gateway", &["10.0.4.0/24"]),
        ),
        (
            |request| request.name = "x".repeat(64),
            invalid("name", &["64 bytes", "at most 63"]),
        ),
        (
            |request| request.exclusions = vec!["10.0.4.9-10.0.4.1".into()],
            invalid("exclusions", &["upwards"]),
        ),
        (
            |request| request.exclusions = vec!["10.0.4.9".into(); 257],
            invalid("exclusions", &["at most 256"]),
        ),
        (
            |request| request.cooling_ms = u64::MAX,
            invalid("cooling_ms", &["86400000"]),
        ),
        (
            |request| request.network_kind = "vlan".into(),
            invalid("network_kind", &["routed"]),
        ),
        (
            |request| request.change.as_mut().expect("one").reason = "x".repeat(257),
            invalid("change.reason", &["257 bytes", "at most 256"]),
        ),
        (
            |request| request.ipv4_cidr = "10.0.0.0/16".into(),
            (
                Code::AlreadyExists,
                RefusalCode::Overlap,
                "ipv4_cidr",
                &["10.0.0.0/16", "10.0.3.0/24", "pods"],
            ),
        ),
        (|request| request.name = "pods".into(), exists),
    ];
    for (place, (spoil, expected)) in cases.into_iter().enumerate() {
        let mut request = vswitch("more", "10.0.4.0/24");
        spoil(&mut request);
        let status = admin
            .create_v_switch(request)
            .await
            .expect_err("it must be refused");
        check(&format!("case {place}"), &status, &expected);
    }
    admin
        .create_v_switch(vswitch("more", "10.0.4.0/24"))
        .await
        .expect("a good one is served");
    let missing = admin
        .get_v_switch(v1::GetVSwitchRequest {
            stale: false,
            name: "other".into(),
        })
        .await
        .expect_err("unknown");
    check(
        "unknown",
        &missing,
        &(Code::NotFound, RefusalCode::NotFound, "vswitch", &["other"]),
    );
    let used = v1::RegisterNodeRequest {
        instance_type: "ecs.g7.4xlrage".into(),
        ..node("worker-2")
    };
    let status = admin.register_node(used).await.expect_err("unknown type");
    check(
        "type",
        &status,
        &invalid("instance_type", &["ecs.g7.4xlarge"]),
    );
    let mut small = v1::RegisterNodeRequest {
        instance_type: "ecs.g6.large".into(),
        ..node("worker-2")
    };
    let refused = admin.register_node(small.clone()).await;
    check(
        "too few pods",
        &refused.expect_err("6 pods"),
        &invalid("instance_type", &["gives 6 pods", "more than 11"]),
    );
    small.allow_few_pods = true;
    let registered = admin.register_node(small).await.expect("as was said");
    assert_eq!(registered.get_ref().pod_capacity, 6);
}

/// Promise: a full vSwitch is refused with every state counted, and again served once there is room.
#[tokio::test]
async fn a_full_vswitch_counts_every_state() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    // A /29 on a routed network: 8 addresses, network and broadcast excluded.
    world(&mut admin, "10.0.3.0/29").await;
    for number in 0..6 {
        allocator
            .allocate(add(&format!("pod-{number}")))
            .await
            .expect("room");
    }
    let mut request = add("pod-6");
    request.deadline_ms = 1_000;
    let status = allocator.allocate(request).await.expect_err("full");
    let words = &["pods", "bound 6", "excluded 2"];
    check(
        "full",
        &status,
        &(Code::ResourceExhausted, RefusalCode::Exhausted, "", words),
    );
    let pods = admin
        .get_v_switch(v1::GetVSwitchRequest {
            stale: false,
            name: "pods".into(),
        })
        .await
        .expect("it")
        .into_inner();
    let counts = &pods.counts[0];
    assert_eq!(
        (
            counts.size.as_str(),
            counts.bound.as_str(),
            counts.free.as_str()
        ),
        ("8", "6", "0")
    );
}

async fn revision(admin: &mut v1::admin_client::AdminClient<tonic::transport::Channel>) -> u64 {
    let status = admin
        .cluster_status(v1::ClusterStatusRequest {})
        .await
        .expect("a status");
    status.into_inner().revision
}
