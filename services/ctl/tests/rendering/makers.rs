//! Answers as a server would give them, for the rendering tests.

use berth_proto::v1;
use berthctl::error::Error;
use berthctl::moment::Moment;
use berthctl::output::Document;
use berthctl::view::allocation::Allocation;
use berthctl::view::capacity::Capacities;
use berthctl::view::check::Observations;
use berthctl::view::claim::Claim;
use berthctl::view::cloud::CloudStatus;
use berthctl::view::eni::Eni;
use berthctl::view::event::Events;
use berthctl::view::explanation::Explanation;
use berthctl::view::holder::Holder;
use berthctl::view::job::Job;
use berthctl::view::member::Members;
use berthctl::view::node::Node;
use berthctl::view::plan::Findings;
use berthctl::view::pool::Pool;
use berthctl::view::raft::RaftStatus;
use berthctl::view::version::Versions;
use berthctl::view::vswitch::VSwitch;
use berthctl::view::{Item, List};

/// 2026-01-31T14:02:11.250Z
const WALL_MS: u64 = 1_769_868_131_250;

fn word(text: &str) -> String {
    text.to_owned()
}

fn counts(family: v1::AddressFamily, size: &str, free: &str) -> v1::StateCounts {
    let zero = || word("0");
    v1::StateCounts {
        family: family.into(),
        size: word(size),
        free: word(free),
        reserved: zero(),
        idle: word("2"),
        bound: word("5"),
        cooling: word("1"),
        releasing: zero(),
        held: word("3"),
        disputed: zero(),
        quarantined: word("1"),
        foreign: zero(),
        excluded: word("3"),
    }
}

fn wire_vswitch() -> v1::VSwitch {
    v1::VSwitch {
        id: 1,
        name: word("zone-a"),
        zone: word("a"),
        ipv4_cidr: word("10.0.3.0/24"),
        ipv6_cidr: word("fd00:3::/64"),
        ipv4_gateway: word("10.0.3.1"),
        ipv6_gateway: String::new(),
        exclusions: vec![word("10.0.3.9"), word("10.0.3.20-10.0.3.30")],
        cooling_ms: 30_000,
        network_kind: word("routed"),
        counts: vec![
            counts(v1::AddressFamily::Ipv4, "256", "241"),
            counts(
                v1::AddressFamily::Ipv6,
                "18446744073709551616",
                "18446744073709551601",
            ),
        ],
        cloud_id: word("vsw-0abc"),
        revision: 12,
    }
}

fn list<T: Item>(items: Vec<T>) -> List<T> {
    List {
        items,
        revision: 12,
        in_full: false,
    }
}

pub fn vswitch() -> impl Document {
    VSwitch::from(wire_vswitch())
}

pub fn vswitches() -> impl Document {
    list(vec![VSwitch::from(wire_vswitch())])
}

pub fn no_vswitches() -> impl Document {
    List::<VSwitch>::default()
}

pub fn nodes() -> impl Document {
    let unlimited = v1::Node {
        id: 1,
        name: word("worker-1"),
        zone: word("a"),
        identity: word("i-0abc"),
        allocations: 3,
        revision: 12,
        ..Default::default()
    };
    let limited = v1::Node {
        id: 2,
        name: word("worker-2"),
        instance_type: word("ecs.g7.4xlarge"),
        warm_target: 10,
        pod_capacity: 210,
        eni_slots: 7,
        addresses_per_eni: 30,
        idle: 10,
        ..unlimited.clone()
    };
    list(vec![Node::from(unlimited), Node::from(limited)])
}

pub fn pools() -> impl Document {
    list(vec![Pool::from(wire_pool())])
}

pub fn pool() -> impl Document {
    Pool::from(wire_pool())
}

fn wire_pool() -> v1::NodePool {
    v1::NodePool {
        id: 9,
        name: word("web"),
        mode: word("shared+trunk"),
        vswitches: vec![word("pods-h"), word("pods-i")],
        draining: vec![word("pods-h")],
        choice: word("most-free"),
        security_groups: vec![word("sg-0abc"), word("sg-0def")],
        min_idle: 2,
        max_idle: 10,
        blocked_enis: vec![word("eni-0old")],
        eni_tags: [(word("team"), word("web"))].into(),
        warm_up: 20,
        reclaim_after_ms: 600_000,
        reclaim_batch: 5,
        reclaim_every_ms: 60_000,
        acceleration: true,
        network_policy: true,
        warnings: vec![word("its vSwitches are in 1 of at least 3 zones (h)")],
        nodes: 20,
        enis: 41,
        jobs: 3,
        revision: 77,
    }
}

pub fn cloud_status() -> impl Document {
    CloudStatus::from(v1::CloudStatusResponse {
        level: word("careful"),
        why: word("12 of 20 calls failed or were throttled in the last 30 s"),
        waiting: vec![v1::LaneCount {
            lane: word("waiting pod"),
            count: 3,
        }],
        under_way: 2,
        jobs: 5,
        calls: vec![v1::ActionCount {
            action: word("AttachNetworkInterface"),
            count: 80,
            per_minute: 250,
        }],
    })
}

pub fn cloud_none() -> impl Document {
    CloudStatus::from(v1::CloudStatusResponse {
        level: word("none"),
        ..Default::default()
    })
}

pub fn enis() -> impl Document {
    let made = v1::Eni {
        number: 31,
        id: word("eni-0abc"),
        mac: word("00:16:3e:00:00:01"),
        node: word("worker-1"),
        vswitch: word("pods-h"),
        kind: word("secondary"),
        state: word("in use"),
        primary: word("10.1.0.5"),
        security_groups: vec![word("sg-0abc")],
        addresses: vec![word("10.1.0.5"), word("10.1.0.6")],
        bound: 1,
    };
    let planned = v1::Eni {
        number: 32,
        node: word("worker-1"),
        vswitch: word("pods-i"),
        kind: word("trunk"),
        state: word("planned"),
        primary: word("10.2.0.5"),
        addresses: vec![word("10.2.0.5")],
        ..Default::default()
    };
    list(vec![Eni::from(made), Eni::from(planned)])
}

pub fn jobs() -> impl Document {
    let creating = v1::Job {
        id: 2048,
        node: word("worker-1"),
        vswitch: word("pods-i"),
        eni_number: 32,
        work: word("create-eni"),
        step: word("create"),
        addresses: vec![word("10.2.0.5")],
        attempt: 2,
        age_ms: 4_300,
        step_age_ms: 4_300,
        trouble: word("the quota is reached"),
        ..Default::default()
    };
    list(vec![Job::from(creating)])
}

pub fn no_jobs() -> impl Document {
    List::<Job>::default()
}

fn wire_claim() -> v1::Claim {
    v1::Claim {
        id: 4,
        name: word("default/shop/db-0"),
        cluster: word("default"),
        namespace: word("shop"),
        pod: word("db-0"),
        vswitch: word("zone-a"),
        addresses: vec![word("10.0.3.7")],
        policy: word("ttl=10m"),
        state: word("bound"),
        holder: word("berth/0123abcd/eth0"),
        node: word("worker-1"),
        release_at_ms: 0,
        generation: 2,
        revision: 12,
    }
}

pub fn claim() -> impl Document {
    Claim::from(wire_claim())
}

fn wire_allocation() -> v1::Allocation {
    v1::Allocation {
        attachment: Some(v1::AttachmentKey {
            cluster: word("default"),
            network: word("berth"),
            container_id: word("0123abcd"),
            interface: word("eth0"),
        }),
        pod: Some(v1::PodIdentity {
            namespace: word("shop"),
            name: word("db-0"),
            uid: word("81ab"),
        }),
        node: word("worker-1"),
        addresses: vec![word("10.0.3.7"), word("fd00:3::7")],
        vswitch: word("zone-a"),
        eni: String::new(),
        generation: 2,
        bound_revision: 9,
        bound_wall_ms: WALL_MS,
        claim: word("default/shop/db-0"),
    }
}

pub fn allocations() -> impl Document {
    let anonymous = v1::Allocation {
        pod: None,
        claim: String::new(),
        ..wire_allocation()
    };
    list(vec![
        Allocation::from(wire_allocation()),
        Allocation::from(anonymous),
    ])
}

pub fn history() -> impl Document {
    let change = |kind: &str, key: &str, before: &str, after: &str| v1::RowChange {
        kind: word(kind),
        key: word(key),
        before: word(before),
        after: word(after),
        state_before: 0,
        state_after: 0,
    };
    let address = v1::RowChange {
        state_before: v1::AddressState::Free.into(),
        state_after: v1::AddressState::Bound.into(),
        ..change("address", "10.0.3.7", "free", "bound shop/db-0")
    };
    let bind = v1::EventGroup {
        revision: 9,
        ledger_time_ms: 5000,
        wall_time_ms: WALL_MS,
        principal: word("local"),
        request_id: String::new(),
        trace_id: word("4bf92f3577b34da6a3ce929d0e0e4736"),
        cause: word("bind"),
        reason: String::new(),
        changes: vec![
            address,
            change("allocation", "default/berth/0123abcd/eth0", "", "10.0.3.7"),
        ],
        chain: word("aa55"),
    };
    let delete = v1::EventGroup {
        revision: 10,
        cause: word("delete_claim"),
        principal: word("admin/ada"),
        request_id: word("r-1"),
        reason: word("shop closed"),
        changes: vec![change("claim", "default/shop/db-0", "held 10.0.3.7", "")],
        ..bind.clone()
    };
    Events::new(vec![bind, delete], true, 12)
}

pub fn holder_then() -> impl Document {
    let response = v1::WhoHasResponse {
        address: word("10.0.3.7"),
        vswitch: word("zone-a"),
        state: v1::AddressState::Bound.into(),
        allocation: Some(wire_allocation()),
        claim: word("default/shop/db-0"),
        since_wall_ms: WALL_MS,
        since_revision: 9,
        revision: 12,
    };
    Holder::new(response, Some(Moment(WALL_MS + 60_000)))
}

pub fn holder_nobody() -> impl Document {
    let response = v1::WhoHasResponse {
        address: word("10.0.3.8"),
        vswitch: word("zone-a"),
        state: v1::AddressState::Free.into(),
        revision: 12,
        ..Default::default()
    };
    Holder::new(response, None)
}

pub fn holder_nowhere(at: Option<Moment>) -> impl Document {
    let response = v1::WhoHasResponse {
        address: word("10.9.9.9"),
        revision: 12,
        ..Default::default()
    };
    Holder::new(response, at)
}

pub fn holder_nowhere_then() -> impl Document {
    holder_nowhere(Some(Moment(WALL_MS + 60_000)))
}

pub fn explanation() -> impl Document {
    let findings = [
        "db-0 is static: claim default/shop/db-0 has 10.0.3.7.",
        "It waits for the old sandbox on worker-2.",
    ];
    let response = v1::ExplainPodResponse {
        allocations: vec![wire_allocation()],
        claim: Some(wire_claim()),
        findings: findings.map(word).to_vec(),
        fencing_mode: word("manual"),
        revision: 12,
    };
    Explanation::new(word("shop/db-0"), response)
}

pub fn raft_status() -> impl Document {
    let member = |id: u64, matched_index: u64| v1::Member {
        id,
        name: format!("berth-{id}"),
        client_endpoint: format!("http://10.0.0.{id}:7400"),
        peer_endpoint: format!("http://10.0.0.{id}:7401"),
        role: word("voter"),
        matched_index,
        recently_active: id != 3,
        ..v1::Member::default()
    };
    let leader = v1::ClusterStatusResponse {
        cluster_id: word("east-1"),
        member_id: 1,
        leader_id: 1,
        term: 4,
        commit_index: 120,
        applied_index: 120,
        revision: 98,
        members: vec![member(1, 120), member(2, 119), member(3, 80)],
        role: word("leader"),
        snapshot_index: 60,
        first_index: 40,
        history_through_revision: 97,
        version: word("0.1.0"),
        chain_head: word("aa55"),
        ledger_time_ms: 5000,
        ..Default::default()
    };
    // A deposed replica that has not noticed yet must not name the leader.
    let deposed = v1::ClusterStatusResponse {
        member_id: 3,
        leader_id: 3,
        term: 3,
        ..leader.clone()
    };
    let silent = Error::NothingFound {
        what: word("connection refused"),
        next: word("is berthd running there?"),
    };
    let endpoint = |id: u64| format!("http://10.0.0.{id}:7400");
    RaftStatus::new(
        vec![(endpoint(3), deposed), (endpoint(1), leader)],
        vec![(endpoint(2), silent)],
    )
}

pub fn members() -> impl Document {
    let member = |id: u64, role: &str, history_revision: u64| v1::Member {
        id,
        name: format!("berth-{id}"),
        client_endpoint: format!("http://10.0.0.{id}:7400"),
        peer_endpoint: format!("http://10.0.0.{id}:7401"),
        role: word(role),
        matched_index: 100 + id,
        recently_active: id != 3,
        stays_learner: id == 5,
        sync_micros: 400 * id,
        history_revision,
    };
    Members::from(v1::ListMembersResponse {
        members: vec![
            member(1, "voter", 98),
            member(2, "voter", 97),
            member(3, "voter", 90),
            member(4, "learner", 0),
            member(5, "learner", 98),
        ],
        leader_id: 1,
        cluster_id: word("east-1"),
        revision: 98,
        changing: true,
    })
}

pub fn versions() -> impl Document {
    let member = |id: u64| v1::Member {
        id,
        name: format!("berth-{id}"),
        ..Default::default()
    };
    let applies = |member_id: u64, highest: u32| v1::MemberVersions {
        member_id,
        lowest: highest.min(1),
        highest,
    };
    Versions::from(v1::ClusterStatusResponse {
        member_id: 1,
        leader_id: 1,
        members: vec![member(1), member(2), member(3)],
        cluster_version: 1,
        lowest_version: 1,
        highest_version: 2,
        member_versions: vec![applies(1, 2), applies(2, 1), applies(3, 0)],
        version_waits_for: word(
            "member 3 has not said yet what it can apply: see that it runs and is reached",
        ),
        ..Default::default()
    })
}

pub fn check(holds: bool) -> impl Document {
    let answer = |digest: &str, violations: Vec<String>| v1::LedgerDigestResponse {
        revision: 98,
        applied_index: 120,
        digest: word(digest),
        chain_head: word("aa55"),
        violations,
    };
    let mut seen = Observations::default();
    seen.saw(
        "http://10.0.0.1:7400",
        answer("0011223344556677889900", Vec::new()),
    );
    match holds {
        true => seen.saw(
            "http://10.0.0.2:7400",
            answer("0011223344556677889900", Vec::new()),
        ),
        false => {
            seen.saw(
                "http://10.0.0.2:7400",
                answer("ff", vec![word("A1: 10.0.3.7 has two live holders")]),
            );
            seen.missed("http://10.0.0.3:7400", word("connection refused"));
        }
    }
    seen.report()
}

pub fn capacity() -> impl Document {
    let row = |mode: &str, pods: u64, static_pods: u64| v1::ModeCapacity {
        mode: word(mode),
        pods,
        static_pods,
        own_eni_pods: Some(0),
        max_pods: 213,
        host_network_pods: 213 - pods,
        ..Default::default()
    };
    let trunk = v1::ModeCapacity {
        own_eni_pods: None,
        ..row("shared+trunk", 210, 203)
    };
    Capacities::from(v1::CapacityResponse {
        instance_type: word("ecs.g7.4xlarge"),
        limits: Some(v1::InstanceLimits {
            enis: 8,
            addresses_per_eni: 30,
            ipv6_per_eni: Some(30),
            ..Default::default()
        }),
        modes: vec![
            row("shared", 210, 203),
            trunk,
            v1::ModeCapacity {
                own_eni_pods: Some(7),
                ..row("exclusive", 7, 7)
            },
        ],
    })
}

pub fn capacity_too_small() -> impl Document {
    let obstacle = v1::Obstacle {
        code: word("too_few_pods"),
        message: word("ecs.ebm.small gives 8 pods in shared mode, more than 11 are needed"),
    };
    let row = v1::ModeCapacity {
        mode: word("shared"),
        pods: 8,
        static_pods: 6,
        own_eni_pods: Some(0),
        rdma_enis: 1,
        rdma_pods: 4,
        max_pods: 5,
        stranded_addresses: 7,
        obstacles: vec![obstacle],
        ..Default::default()
    };
    Capacities::from(v1::CapacityResponse {
        instance_type: word("ecs.ebm.small"),
        limits: Some(v1::InstanceLimits {
            enis: 4,
            total_enis: Some(0),
            addresses_per_eni: 4,
            ipv6_per_eni: None,
            can_trunk: Some(false),
            rdma_enis: Some(1),
        }),
        modes: vec![row],
    })
}

pub fn plan(findings: &[[&str; 3]]) -> impl Document + use<> {
    let finding = |[severity, code, message]: &[&str; 3]| v1::PlanFinding {
        severity: word(severity),
        code: word(code),
        message: word(message),
    };
    Findings::from(v1::ValidatePlanResponse {
        findings: findings.iter().map(finding).collect(),
    })
}
