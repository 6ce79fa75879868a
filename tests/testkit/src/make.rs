//! Short makers of domain values for tests: names that are always valid, one cluster, one network.

use berth_domain::address::Subnet;
use berth_domain::command::{Command, Proposal};
use berth_domain::id::*;

/// A command as an administrator on the same machine would propose it.
pub fn proposal(command: Command) -> Proposal {
    Proposal {
        principal: Principal::new("local").expect("a short plain name"),
        request_id: RequestId::new("").expect("may be empty"),
        trace_id: None,
        reason: Reason::new("").expect("may be empty"),
        facts: None,
        command,
    }
}

/// The first interface of a container.
pub fn key(container: &str) -> AttachmentKey {
    AttachmentKey {
        cluster: ClusterName::new("default").expect("a short plain name"),
        network: NetworkName::new("pods").expect("a short plain name"),
        container: ContainerId::new(container).expect("a short plain name"),
        interface: InterfaceName::new("eth0").expect("a short plain name"),
    }
}

/// A pod of the namespace `shop`.
pub fn pod(name: &str, uid: &str) -> PodIdentity {
    PodIdentity {
        namespace: Namespace::new("shop").expect("a short plain name"),
        name: PodName::new(name).expect("a short plain name"),
        uid: PodUid::new(uid).expect("a short plain name"),
    }
}

/// The claim of a pod of the namespace `shop`.
pub fn claim_name(pod: &str) -> ClaimName {
    ClaimName {
        cluster: ClusterName::new("default").expect("a short plain name"),
        namespace: Namespace::new("shop").expect("a short plain name"),
        pod: PodName::new(pod).expect("a short plain name"),
    }
}

/// `node-3`.
pub fn node_name(number: u64) -> NodeName {
    NodeName::new(&format!("node-{number}")).expect("a short plain name")
}

/// The one boot of every node.
pub fn boot() -> BootId {
    BootId::new("boot-1").expect("a short plain name")
}

/// A subnet whose gateway is by the network's rule.
pub fn subnet(cidr: &str) -> Subnet {
    Subnet {
        cidr: cidr.parse().expect("a CIDR"),
        gateway: None,
    }
}
