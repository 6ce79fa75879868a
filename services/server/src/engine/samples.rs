//! What the tests ask for, said shortly.

use crate::failure::Failure;
use crate::leader::Gate;
use crate::node::{Allocate, Allocated, Release, Released};
use berth_domain::address::{NetworkKind, Subnet};
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::outcome::{Answer, Outcome};
use std::net::IpAddr;

pub fn key(container: &str) -> AttachmentKey {
    AttachmentKey {
        cluster: ClusterName::new("one").expect("a name"),
        network: NetworkName::new("net").expect("a name"),
        container: ContainerId::new(container).expect("a name"),
        interface: InterfaceName::new("eth0").expect("a name"),
    }
}

pub fn local() -> Principal {
    Principal::new("local").expect("a name")
}

pub fn boot() -> BootId {
    BootId::new("boot-1").expect("a name")
}

/// An ADD of the pod that has the sandbox's name, from the named node.
pub fn add(container: &str, node: &str) -> Allocate {
    Allocate {
        principal: local(),
        trace_id: None,
        key: key(container),
        pod: PodIdentity {
            namespace: Namespace::new("web").expect("a name"),
            name: PodName::new(container).expect("a name"),
            uid: PodUid::new(&format!("uid-{container}")).expect("a name"),
        },
        node: NodeName::new(node).expect("a name"),
        boot: boot(),
        invoked_at_ms: 10,
        vswitch: None,
        requested: Vec::new(),
        deadline_ms: 10_000,
    }
}

/// An ADD of a pod by name, in a sandbox of another name.
pub fn add_pod(container: &str, node: &str, pod: &str) -> Allocate {
    let mut request = add(container, node);
    request.pod.name = PodName::new(pod).expect("a name");
    request
}

pub fn del(container: &str, node: &str) -> Release {
    Release {
        principal: local(),
        trace_id: None,
        key: key(container),
        node: Some(NodeName::new(node).expect("a name")),
        boot: boot(),
        invoked_at_ms: 20,
        generation: None,
        deadline_ms: 10_000,
    }
}

pub fn proposal(command: Command) -> Proposal {
    crate::node::message::proposal(&local(), None, None, command)
}

pub fn create_vswitch(name: &str, cidr: &str, cooling_ms: u64) -> Proposal {
    proposal(Command::CreateVSwitch(CreateVSwitch {
        name: VSwitchName::new(name).expect("a name"),
        zone: Zone::new("").expect("a name"),
        ipv4: Some(Subnet {
            cidr: cidr.parse().expect("a cidr"),
            gateway: None,
        }),
        ipv6: None,
        exclusions: Vec::new(),
        cooling_ms,
        kind: NetworkKind::Routed,
        cloud: None,
    }))
}

pub fn register_node(name: &str, warm_target: u32) -> Proposal {
    proposal(Command::RegisterNode(RegisterNode {
        name: NodeName::new(name).expect("a name"),
        identity: NodeIdentity::new(&format!("id-{name}")).expect("a name"),
        zone: Zone::new("").expect("a name"),
        instance_type: InstanceType::new("").expect("a name"),
        eni_slots: 0,
        addresses_per_eni: 0,
        warm_target,
        pool: None,
    }))
}

/// A vSwitch and nodes.
pub async fn furnish(gate: &Gate, cidr: &str, cooling_ms: u64, nodes: &[&str]) -> VSwitchId {
    let made = done(gate, create_vswitch("a", cidr, cooling_ms)).await;
    let Ok(Outcome::VSwitch(id)) = made.result else {
        panic!("no vSwitch: {made:?}");
    };
    for node in nodes {
        done(gate, register_node(node, 0)).await;
    }
    id
}

pub async fn done(gate: &Gate, proposal: Proposal) -> Answer {
    let answer = gate.propose(proposal).await.expect("answered");
    assert!(answer.result.is_ok(), "{answer:?}");
    answer
}

pub async fn allocate(gate: &Gate, request: Allocate) -> Allocated {
    gate.allocate(request).await.expect("allocated")
}

pub async fn release(gate: &Gate, request: Release) -> Released {
    gate.release(request).await.expect("released")
}

pub fn address(allocated: &Allocated) -> IpAddr {
    allocated.allocation.addresses[0]
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

pub fn failure<T: std::fmt::Debug>(answer: Result<T, Failure>) -> Failure {
    answer.expect_err("refused")
}
