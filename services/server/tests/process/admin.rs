//! The administrator's calls: pages, repeats, the watch, the cluster.

use crate::harness::*;
use berth_proto::v1::{self, RefusalCode};

/// Promise: pages put together are the whole list, each row once, in the order of their making.
#[tokio::test]
async fn pages_make_the_whole() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    world(&mut admin, "10.0.3.0/24").await;
    for number in 2..=7 {
        admin
            .register_node(node(&format!("worker-{number}")))
            .await
            .expect("a node");
    }
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListNodesRequest {
            stale: false,
            page_size: 3,
            page_token: token,
        };
        let page = admin
            .list_nodes(request)
            .await
            .expect("a page")
            .into_inner();
        assert!(page.nodes.len() <= 3);
        names.extend(page.nodes.into_iter().map(|node| node.name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(
        names,
        (1..=7)
            .map(|number| format!("worker-{number}"))
            .collect::<Vec<_>>()
    );
    for number in 0..7 {
        allocator
            .allocate(add(&format!("pod-{number}")))
            .await
            .expect("an address");
    }
    let (mut pods, mut token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListAllocationsRequest {
            node: "worker-1".into(),
            page_size: 2,
            page_token: token,
            ..Default::default()
        };
        let page = admin
            .list_allocations(request)
            .await
            .expect("a page")
            .into_inner();
        pods.extend(
            page.allocations
                .into_iter()
                .map(|row| row.pod.expect("a pod").name),
        );
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(
        pods,
        (0..7)
            .map(|number| format!("pod-{number}"))
            .collect::<Vec<_>>()
    );
    let bad = v1::ListNodesRequest {
        page_size: 501,
        ..Default::default()
    };
    let status = admin.list_nodes(bad).await.expect_err("too large");
    assert_eq!(refusal(&status).field, "page_size");
}

/// Promise: a repeat with the same request id answers with the first result; the same id for something else is refused.
#[tokio::test]
async fn a_repeated_request_has_one_effect() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let mut admin = berthd.admin().await;
    let with_id = |name: &str, cidr: &str| {
        let mut request = vswitch(name, cidr);
        request.change.as_mut().expect("one").request_id = "request-1".into();
        request
    };
    let first = admin
        .create_v_switch(with_id("one", "10.0.3.0/24"))
        .await
        .expect("made")
        .into_inner();
    let again = admin
        .create_v_switch(with_id("one", "10.0.3.0/24"))
        .await
        .expect("repeated")
        .into_inner();
    assert_eq!(first.id, again.id);
    admin
        .create_v_switch(with_id("two", "10.0.4.0/24"))
        .await
        .expect_err("another command under the same id");
    let without_id = admin
        .create_v_switch(vswitch("one", "10.0.3.0/24"))
        .await
        .expect_err("there already");
    assert_eq!(refusal(&without_id).code(), RefusalCode::AlreadyExists);
}

fn claim(pod: &str, request_id: &str) -> v1::CreateClaimRequest {
    v1::CreateClaimRequest {
        change: changed(request_id),
        cluster: "default".into(),
        namespace: "shop".into(),
        pod: pod.into(),
        vswitch: "pods".into(),
        policy: "never".into(),
        ..Default::default()
    }
}

fn changed(request_id: &str) -> Option<v1::Change> {
    Some(v1::Change {
        request_id: request_id.into(),
        ..Default::default()
    })
}

/// Promise: a repeat of a claim's creation gets the addresses that the first was given, also while the first is under way.
#[tokio::test]
async fn a_repeated_claim_has_the_same_addresses() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut beside) = (berthd.admin().await, berthd.admin().await);
    world(&mut admin, "10.0.3.0/24").await;
    for number in 0..20 {
        let request = claim(&format!("web-{number}"), &format!("request-{number}"));
        let both = tokio::join!(
            admin.create_claim(request.clone()),
            beside.create_claim(request.clone())
        );
        let (one, other) = (both.0.expect("made"), both.1.expect("repeated"));
        let again = admin.create_claim(request).await.expect("repeated later");
        assert_eq!(one.get_ref().addresses.len(), 1);
        assert_eq!(one.get_ref(), other.get_ref());
        assert_eq!(one.get_ref(), again.get_ref());
    }
    let mut other = claim("web-0", "request-0");
    other.policy = "delete".into();
    let refused = admin.create_claim(other).await.expect_err("another");
    assert_eq!(refusal(&refused).field, "request_id");
}

/// Promise: a repeat of a deletion says again that it is done; without the same id what is not there is not found.
#[tokio::test]
async fn a_repeated_deletion_is_done() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let mut admin = berthd.admin().await;
    world(&mut admin, "10.0.3.0/24").await;
    let made = admin.create_claim(claim("web-0", "")).await.expect("made");
    let delete = |request_id: &str| v1::DeleteClaimRequest {
        change: changed(request_id),
        name: made.get_ref().name.clone(),
        override_holder: false,
    };
    for _ in 0..2 {
        admin.delete_claim(delete("delete-1")).await.expect("done");
    }
    for id in ["", "delete-2"] {
        let status = admin.delete_claim(delete(id)).await.expect_err("is gone");
        assert_eq!(refusal(&status).code(), RefusalCode::NotFound);
    }
    let remove = |request_id: &str| v1::RemoveNodeRequest {
        change: changed(request_id),
        name: "worker-1".into(),
        confirmed_dead: false,
    };
    for _ in 0..2 {
        admin.remove_node(remove("remove-1")).await.expect("done");
    }
    let status = admin.remove_node(remove("")).await.expect_err("is gone");
    assert_eq!(refusal(&status).code(), RefusalCode::NotFound);
}

/// Promise: a watch tells what was and what comes, gap-free, with reason and principal.
#[tokio::test]
async fn a_watch_tells_everything_once() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let mut admin = berthd.admin().await;
    admin
        .create_v_switch(vswitch("one", "10.0.3.0/24"))
        .await
        .expect("made");
    let mut watch = admin
        .watch_history(v1::WatchHistoryRequest { after_revision: 0 })
        .await
        .expect("a watch")
        .into_inner();
    let mut seen = Vec::new();
    while seen
        .last()
        .is_none_or(|group: &v1::EventGroup| group.cause != "create-vswitch")
    {
        seen.push(watch.message().await.expect("open").expect("a group"));
    }
    assert_eq!(seen.last().expect("one").reason, "a test wants it");
    admin.register_node(node("worker-1")).await.expect("a node");
    seen.push(watch.message().await.expect("open").expect("a group"));
    assert_eq!(seen.last().expect("one").cause, "register-node");
    let revisions: Vec<u64> = seen.iter().map(|group| group.revision).collect();
    assert_eq!(revisions, (1..=seen.len() as u64).collect::<Vec<_>>());
}

/// Promise: what is in use is not taken away: a vSwitch with allocations, a node with pods, a claim with a holder.
#[tokio::test]
async fn what_is_in_use_stays() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    world(&mut admin, "10.0.3.0/24").await;
    allocator.allocate(add("one")).await.expect("an address");
    let delete = v1::DeleteVSwitchRequest {
        change: None,
        name: "pods".into(),
    };
    let status = admin.delete_v_switch(delete).await.expect_err("in use");
    assert_eq!(refusal(&status).code(), RefusalCode::InUse);
    let remove = |confirmed_dead| v1::RemoveNodeRequest {
        change: None,
        name: "worker-1".into(),
        confirmed_dead,
    };
    let status = admin.remove_node(remove(false)).await.expect_err("in use");
    assert_eq!(refusal(&status).code(), RefusalCode::InUse);
    admin
        .remove_node(remove(true))
        .await
        .expect("its death is confirmed");
    let left = admin
        .list_allocations(v1::ListAllocationsRequest::default())
        .await
        .expect("a list")
        .into_inner();
    assert!(left.allocations.is_empty());
}

/// Promise: the cluster's status names this replica as leader and member, with its own digest of the ledger.
#[tokio::test]
async fn the_cluster_is_shown() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let mut admin = berthd.admin().await;
    world(&mut admin, "10.0.3.0/24").await;
    let status = admin
        .cluster_status(v1::ClusterStatusRequest {})
        .await
        .expect("a status")
        .into_inner();
    assert_eq!(
        (status.role.as_str(), status.leader_id),
        ("leader", status.member_id)
    );
    assert!(status.cluster_id.starts_with("dev-"));
    let member = &status.members[0];
    assert_eq!(
        (member.name.as_str(), member.client_endpoint.as_str()),
        ("dev", berthd.client.as_str())
    );
    let digest = admin
        .ledger_digest(v1::LedgerDigestRequest {})
        .await
        .expect("a digest")
        .into_inner();
    assert_eq!(
        (digest.digest.len(), digest.chain_head),
        (64, status.chain_head)
    );
    let alone = v1::TransferLeadershipRequest::default();
    admin
        .transfer_leadership(alone)
        .await
        .expect_err("there is nobody else");
    // A member that there is not is a mistake, not something to wait for.
    let stranger = v1::TransferLeadershipRequest {
        to_member_id: 99,
        ..Default::default()
    };
    let refused = admin.transfer_leadership(stranger).await;
    let refused = refused.expect_err("no such member");
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    let said = refused.message();
    assert!(
        said.contains("to_member_id: 99 is not a voter; the voters are 1"),
        "{said}"
    );
}

/// Promise: who had an address when no vSwitch contained it: nobody, and it was not free; neither before its vSwitch was
/// made, nor after that was deleted, nor where there never was one. What a deleted vSwitch had given out is still known.
#[tokio::test]
async fn an_address_outside_every_vswitch_is_not_free() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let (mut admin, mut allocator) = (berthd.admin().await, berthd.allocator().await);
    admin
        .create_v_switch(vswitch("first", "10.9.0.0/24"))
        .await
        .expect("made");
    world(&mut admin, "10.0.3.0/24").await;
    let mut request = add("one");
    request.requested_addresses = vec!["10.0.3.7".into()];
    allocator.allocate(request).await.expect("an address");
    allocator.release(del("one")).await.expect("released");
    let delete = v1::DeleteVSwitchRequest {
        change: None,
        name: "pods".into(),
    };
    admin.delete_v_switch(delete).await.expect("deleted");
    let history = v1::ListHistoryRequest::default();
    let groups = admin.list_history(history).await.expect("a history");
    let groups = groups.into_inner().groups;
    let at = |cause: &str| {
        let group = groups.iter().rfind(|group| group.cause == cause);
        group.expect("it was done").wall_time_ms
    };
    let mut seen = Vec::new();
    for (address, at_wall_ms) in [
        ("10.0.3.7", at("create-vswitch") - 1),
        ("10.0.3.8", at("bind")),
        ("10.0.3.7", 0),
        ("10.99.0.1", 0),
        ("10.9.0.9", 0),
        ("10.9.0.0", 0),
    ] {
        let address = address.into();
        let request = v1::WhoHasRequest {
            stale: false,
            address,
            at_wall_ms,
        };
        let who = admin.who_has(request).await.expect("known").into_inner();
        seen.push((who.vswitch.clone(), who.state()));
    }
    use v1::AddressState::{Excluded, Free, Unspecified};
    let expected = [
        ("", Unspecified),
        ("pods", Free),
        ("", Unspecified),
        ("", Unspecified),
        ("first", Free),
        ("first", Excluded),
    ];
    assert_eq!(seen, expected.map(|(name, state)| (name.to_owned(), state)));
}
