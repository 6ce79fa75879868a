//! What keeps a node from joining, with both numbers.

use super::{ENIS_WITHOUT_RDMA, InstanceLimits, NodeMode, NodeSetup, Stack};

/// Why a node of some type may not join. Shown, it is a sentence that still wants its subject: the type's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Obstacle {
    /// Too small for the mode.
    #[error(
        "gives {pods} {} in {} mode, more than {threshold} are needed",
        if *pods == 1 { "pod" } else { "pods" },
        mode.as_str()
    )]
    TooFewPods {
        /// In which mode.
        mode: NodeMode,
        /// What it gives.
        pods: u64,
        /// What is not enough.
        threshold: u64,
    },
    /// In shared mode each pod has an address of both families on one ENI.
    #[error(
        "has {ipv4} IPv4 addresses on an ENI and {ipv6} IPv6 ones, dual stack in shared mode needs as many of one as of the other"
    )]
    Ipv6Differs {
        /// Of IPv4.
        ipv4: u32,
        /// Of IPv6.
        ipv6: u32,
    },
    /// In exclusive mode one is enough.
    #[error("has 0 IPv6 addresses on an ENI, dual stack needs at least 1")]
    Ipv6Missing,
    /// Dual stack, and nobody has said.
    #[error(
        "has a number of IPv6 addresses that is not known, dual stack needs it: ask DescribeInstanceTypes for EniIpv6AddressQuantity"
    )]
    Ipv6Unknown,
    /// The cloud has one or the other.
    #[error("cannot have eRDMA and dual stack at once: switch one of them off")]
    RdmaWithDualStack,
    /// A type without eRDMA.
    #[error("has 0 eRDMA interfaces, at least 1 is needed")]
    RdmaMissing,
    /// Too few ENIs to keep one.
    #[error("has {enis} ENIs, more than {ENIS_WITHOUT_RDMA} are needed to keep one for eRDMA")]
    RdmaWithoutRoom {
        /// With the primary one.
        enis: u32,
    },
    /// eRDMA, and nobody has said.
    #[error(
        "has a number of eRDMA interfaces that is not known, eRDMA needs it: ask DescribeInstanceTypes for EriQuantity"
    )]
    RdmaUnknown,
}

// === impl Obstacle ===

impl Obstacle {
    /// For programs; stays.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooFewPods { .. } => "too_few_pods",
            Self::Ipv6Differs { .. } => "ipv6_differs",
            Self::Ipv6Missing => "ipv6_missing",
            Self::Ipv6Unknown => "ipv6_unknown",
            Self::RdmaWithDualStack => "rdma_with_dual_stack",
            Self::RdmaMissing => "rdma_missing",
            Self::RdmaWithoutRoom { .. } => "rdma_without_room",
            Self::RdmaUnknown => "rdma_unknown",
        }
    }
}

/// All that stand in the way of a node with this many pods.
pub(super) fn all(limits: &InstanceLimits, setup: &NodeSetup, pods: u64) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    obstacles.extend(too_few_pods(setup, pods));
    if setup.stack == Stack::Dual {
        obstacles.extend(without_ipv6(limits, setup.mode));
    }
    match (setup.rdma, setup.stack) {
        (false, _) => {}
        (true, Stack::Dual) => obstacles.push(Obstacle::RdmaWithDualStack),
        (true, Stack::Ipv4) => obstacles.extend(without_rdma(limits)),
    }
    obstacles
}

fn too_few_pods(setup: &NodeSetup, pods: u64) -> Option<Obstacle> {
    let mode = setup.mode;
    let threshold = match mode.shares() {
        true => setup.thresholds.shared,
        false => setup.thresholds.exclusive,
    };
    (pods <= threshold).then_some(Obstacle::TooFewPods {
        mode,
        pods,
        threshold,
    })
}

fn without_ipv6(limits: &InstanceLimits, mode: NodeMode) -> Option<Obstacle> {
    let ipv4 = limits.addresses_per_eni;
    match limits.ipv6_per_eni {
        None => Some(Obstacle::Ipv6Unknown),
        Some(ipv6) if mode.shares() => {
            (ipv6 != ipv4).then_some(Obstacle::Ipv6Differs { ipv4, ipv6 })
        }
        Some(ipv6) => (ipv6 == 0).then_some(Obstacle::Ipv6Missing),
    }
}

fn without_rdma(limits: &InstanceLimits) -> Option<Obstacle> {
    let enis = limits.enis;
    match limits.rdma_enis {
        None => Some(Obstacle::RdmaUnknown),
        Some(0) => Some(Obstacle::RdmaMissing),
        Some(_) => (enis <= ENIS_WITHOUT_RDMA).then_some(Obstacle::RdmaWithoutRoom { enis }),
    }
}
