//! Who answers a read, and how old the answer may be.

use crate::harness::*;
use crate::three::{Plan, leader, status, until};
use berth_proto::v1::admin_client::AdminClient;
use berth_proto::v1::{self, RefusalCode};
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Code, Status};

type Admin = AdminClient<Channel>;

/// Every read that an administrator has, stale or not: its name, and the revision that its answer carries.
async fn reads(admin: &Admin, stale: bool) -> Vec<(&'static str, Result<u64, Status>)> {
    macro_rules! read {
        ($call:ident, $request:expr, $revision:expr) => {{
            let answer = admin.clone().$call($request).await;
            (
                stringify!($call),
                answer.map(|answer| $revision(answer.into_inner())),
            )
        }};
    }
    let (name, size) = (|name: &str| name.to_owned(), 10);
    let allocations = v1::ListAllocationsRequest {
        page_size: size,
        stale,
        ..Default::default()
    };
    let explain = v1::ExplainPodRequest {
        cluster: name("main"),
        namespace: name("web"),
        pod: name("one"),
        stale,
    };
    let history = v1::ListHistoryRequest {
        page_size: size,
        stale,
        ..Default::default()
    };
    let whohas = v1::WhoHasRequest {
        address: name("10.0.3.1"),
        at_wall_ms: 0,
        stale,
    };
    vec![
        read!(
            get_v_switch,
            v1::GetVSwitchRequest {
                name: name("pods"),
                stale
            },
            |row: v1::VSwitch| row.revision
        ),
        read!(
            list_v_switches,
            v1::ListVSwitchesRequest {
                page_size: size,
                stale,
                ..Default::default()
            },
            |page: v1::ListVSwitchesResponse| page.revision
        ),
        read!(
            get_node,
            v1::GetNodeRequest {
                name: name("worker-1"),
                stale
            },
            |row: v1::Node| row.revision
        ),
        read!(
            list_nodes,
            v1::ListNodesRequest {
                page_size: size,
                stale,
                ..Default::default()
            },
            |page: v1::ListNodesResponse| page.revision
        ),
        read!(
            get_claim,
            v1::GetClaimRequest {
                name: name("main/web/fixed"),
                stale
            },
            |row: v1::Claim| row.revision
        ),
        read!(
            list_claims,
            v1::ListClaimsRequest {
                page_size: size,
                stale,
                ..Default::default()
            },
            |page: v1::ListClaimsResponse| page.revision
        ),
        read!(
            list_allocations,
            allocations,
            |page: v1::ListAllocationsResponse| page.revision
        ),
        read!(explain_pod, explain, |answer: v1::ExplainPodResponse| {
            answer.revision
        }),
        read!(list_history, history, |page: v1::ListHistoryResponse| page
            .revision),
        read!(who_has, whohas, |answer: v1::WhoHasResponse| answer
            .revision),
        read!(
            list_members,
            v1::ListMembersRequest { stale },
            |page: v1::ListMembersResponse| page.revision
        ),
    ]
}

async fn furnish(admin: &mut Admin) {
    world(admin, "10.0.3.0/24").await;
    let claim = v1::CreateClaimRequest {
        cluster: "main".into(),
        namespace: "web".into(),
        pod: "fixed".into(),
        vswitch: "pods".into(),
        policy: "never".into(),
        ..Default::default()
    };
    admin.create_claim(claim).await.expect("a claim");
}

/// Promise: a follower answers no read unless a stale one is asked for; then it answers each, with its revision.
#[tokio::test]
async fn a_follower_answers_stale_reads_only() {
    let plan = Plan::new(3);
    let all = plan.begin();
    let first = leader(&all.iter().collect::<Vec<_>>()).await;
    furnish(&mut all[first].admin().await).await;
    let head = status(&all[first]).await.expect("a status").revision;
    let follower = &all[(first + 1) % 3];
    until(follower, "everything", |status| status.revision >= head).await;
    let admin = follower.admin().await;
    for (name, answer) in reads(&admin, false).await {
        let refused = answer.expect_err(name);
        assert_eq!(refusal(&refused).code(), RefusalCode::NotLeader, "{name}");
    }
    for (name, answer) in reads(&admin, true).await {
        assert!(answer.expect(name) >= head, "{name}");
    }
    for (name, answer) in reads(&all[first].admin().await, false).await {
        assert!(answer.expect(name) >= head, "{name}");
    }
}

/// Promise: a leader that has lost its quorum answers no read as if it were still true; a stale one it does answer, which
/// shows that it could (the control).
#[tokio::test]
async fn a_leader_without_a_quorum_answers_stale_reads_only() {
    let plan = Plan::new(3);
    let all = plan.begin();
    let first = leader(&all.iter().collect::<Vec<_>>()).await;
    furnish(&mut all[first].admin().await).await;
    let head = status(&all[first]).await.expect("a status").revision;
    let others: Vec<&Berthd> = (0..3)
        .filter(|at| *at != first)
        .map(|at| &all[at])
        .collect();
    others.iter().for_each(|other| other.signal("STOP"));
    let admin = all[first].admin().await;
    let (fresh, stale) = tokio::join!(
        // Not answered at all is fine too.
        tokio::time::timeout(Duration::from_secs(30), reads(&admin, false)),
        reads(&admin, true)
    );
    let check = v1::CheckRequest {
        attachment: key("one"),
        ..Default::default()
    };
    let check = all[first].allocator().await.check(check).await;
    others.iter().for_each(|other| other.signal("CONT"));
    for (name, answer) in fresh.unwrap_or_default() {
        let refused = answer.expect_err(name);
        assert_eq!(refused.code(), Code::Unavailable, "{name}: {refused}");
    }
    assert_eq!(check.expect_err("no quorum").code(), Code::Unavailable);
    for (name, answer) in stale {
        assert!(answer.expect(name) >= head, "{name}");
    }
}

/// Promise: what looks at no ledger is answered by any server: the capacity of a type, and the findings of a plan.
#[tokio::test]
async fn what_is_reckoned_is_answered() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let mut admin = berthd.admin().await;
    let request = v1::CapacityRequest {
        instance_type: "ecs.g7.4xlarge".into(),
        ..Default::default()
    };
    let capacity = admin.capacity(request).await.expect("an answer");
    let modes = &capacity.get_ref().modes;
    let pods: Vec<(&str, u64)> = modes
        .iter()
        .map(|row| (row.mode.as_str(), row.pods))
        .collect();
    assert_eq!(
        pods,
        [("shared", 210), ("shared+trunk", 210), ("exclusive", 7)]
    );
    let vswitch = |name: &str, cidr: &str| v1::PlannedVSwitch {
        name: name.into(),
        zone: "a".into(),
        ipv4_cidr: cidr.into(),
        ..Default::default()
    };
    let request = v1::ValidatePlanRequest {
        node_vswitches: vec![vswitch("nodes", "10.1.0.0/24")],
        pod_vswitches: vec![vswitch("pods", "10.2.0.0/16")],
        service_ipv4_cidr: "10.2.128.0/20".into(),
        ..Default::default()
    };
    let answer = admin.validate_plan(request).await.expect("an answer");
    let findings = &answer.get_ref().findings;
    let codes: Vec<[&str; 2]> = findings
        .iter()
        .map(|one| [&*one.severity, &*one.code])
        .collect();
    assert_eq!(
        codes,
        [["refused", "service_overlap"], ["warning", "few_zones"]]
    );
    assert!(
        findings[0]
            .message
            .contains("10.2.128.0/20 overlaps 10.2.0.0/16")
    );
}
