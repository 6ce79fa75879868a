//! Short makers of names. All of them are valid by their form.

use berth_domain::address::Subnet;
use berth_domain::id::*;

/// The one Kubernetes cluster.
pub fn cluster() -> ClusterName {
    ClusterName::new("default").expect("plain") // fixed text within the limit
}

/// The namespace of every pod.
pub fn namespace() -> Namespace {
    Namespace::new("shop").expect("plain") // fixed text within the limit
}

/// The network of every attachment.
pub fn network() -> NetworkName {
    NetworkName::new("pods").expect("plain") // fixed text within the limit
}

/// A container's first interface.
pub fn key(container: &str) -> AttachmentKey {
    AttachmentKey {
        cluster: cluster(),
        network: network(),
        container: ContainerId::new(container).expect("plain"), // made of a few words and numbers
        interface: interface(),
    }
}

/// The one interface.
pub fn interface() -> InterfaceName {
    InterfaceName::new("eth0").expect("plain") // fixed text within the limit
}

/// A pod's name.
pub fn pod_name(pod: usize) -> PodName {
    PodName::new(&format!("pod-{pod}")).expect("plain") // a word and a number
}

/// A pod's claim.
pub fn claim_name(pod: usize) -> ClaimName {
    ClaimName {
        cluster: cluster(),
        namespace: namespace(),
        pod: pod_name(pod),
    }
}

/// A node's name.
pub fn node_name(node: usize) -> NodeName {
    NodeName::new(&format!("node-{node}")).expect("plain") // a word and a number
}

/// A principal.
pub fn principal(text: &str) -> Principal {
    Principal::new(text).expect("plain") // fixed text within the limit
}

/// A subnet whose gateway is by the network's rule.
pub fn subnet(cidr: &str) -> Subnet {
    Subnet {
        cidr: cidr.parse().expect("a CIDR"), // fixed text
        gateway: None,
    }
}
