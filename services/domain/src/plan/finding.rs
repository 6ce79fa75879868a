//! What was found in a plan: a closed set, each with a code for programs and words with both sides of the matter.

use super::KubernetesVersion;
use super::stack::DUAL_STACK_SINCE;
use super::zones::ZONES_MIN;
use crate::address::Family;
use crate::capacity::{Obstacle, catalogue};
use crate::id::{InstanceType, NodePoolName, VSwitchName, Zone};
use ipnet::IpNet;
use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The cluster would not work: the plan has to be changed.
    Refused,
    /// It would work, and perhaps not as it was meant.
    Warning,
}

/// Whose vSwitch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The nodes'.
    Node,
    /// The pods'.
    Pod,
}

/// One finding. Shown, it is a sentence without its full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A CIDR that is not the first address of its subnet.
    #[error("{cidr} of {of} has host bits set; did you mean {}?", cidr.trunc())]
    HostBits {
        /// As it was said.
        cidr: IpNet,
        /// Whose, in words.
        of: String,
    },
    /// An IPv4 CIDR in an IPv6 field, or the other way round.
    #[error("{cidr} of {of} is {}, and {expected} is expected there", family(cidr))]
    WrongFamily {
        /// As it was said.
        cidr: IpNet,
        /// Whose, in words.
        of: String,
        /// What the field is for.
        expected: Family,
    },
    /// Nodes or pods have no address at all.
    #[error("the plan has 0 {side} vSwitches, at least 1 is needed")]
    VSwitchMissing {
        /// Whose.
        side: Side,
    },
    /// Nodes and servers speak IPv4, and each pod has an IPv4 address.
    #[error("{side} vSwitch {vswitch} has no IPv4 CIDR, and every {side} has an IPv4 address")]
    Ipv4Missing {
        /// Whose.
        side: Side,
        /// Which.
        vswitch: VSwitchName,
    },
    /// Pods of a dual-stack cluster have both addresses or none.
    #[error(
        "pod vSwitch {vswitch} has no IPv6 CIDR, and with dual stack every pod has an IPv6 address"
    )]
    Ipv6Missing {
        /// Which.
        vswitch: VSwitchName,
    },
    /// A Service's address would be a node's or a pod's.
    #[error("Service CIDR {service} overlaps {cidr} of {side} vSwitch {vswitch}")]
    ServiceOverlap {
        /// The Services'.
        service: IpNet,
        /// What it overlaps.
        cidr: IpNet,
        /// Whose that is.
        side: Side,
        /// Which.
        vswitch: VSwitchName,
    },
    /// One address in two vSwitches that pods get addresses from.
    #[error("{cidr} of pod vSwitch {vswitch} overlaps {other_cidr} of pod vSwitch {other}")]
    PodOverlap {
        /// Of the first.
        cidr: IpNet,
        /// The first.
        vswitch: VSwitchName,
        /// Of the second.
        other_cidr: IpNet,
        /// The second.
        other: VSwitchName,
    },
    /// Nothing can be compared with the Services' addresses.
    #[error(
        "the Service IPv4 CIDR is not said: whether it overlaps a node's or a pod's was not checked"
    )]
    ServiceIpv4Missing,
    /// Services would be IPv4 alone.
    #[error(
        "with dual stack there is a Service IPv4 CIDR and no IPv6 one: Services have IPv4 addresses alone"
    )]
    ServiceIpv6Missing,
    /// Only dual stack has a use for it.
    #[error("Service IPv6 CIDR {service} needs dual stack, and the plan is IPv4 alone")]
    ServiceIpv6WithoutDualStack {
        /// The Services'.
        service: IpNet,
    },
    /// Too old for dual stack.
    #[error("Kubernetes is {version}, dual stack needs {DUAL_STACK_SINCE} or later")]
    KubernetesTooOld {
        /// What the plan says.
        version: KubernetesVersion,
    },
    /// Perhaps too old for dual stack.
    #[error("the version of Kubernetes is not said: dual stack needs {DUAL_STACK_SINCE} or later")]
    KubernetesUnknown,
    /// One zone's end would be the cluster's.
    #[error("node vSwitches lie in {zones} {}, at least {ZONES_MIN} are recommended", if *zones == 1 { "zone" } else { "zones" })]
    FewZones {
        /// How many different ones.
        zones: usize,
    },
    /// An ENI is in the zone of its node, and so is its vSwitch.
    #[error("zone {zone} has node vSwitch {vswitch} and no pod vSwitch: pods there get no address")]
    ZoneWithoutPods {
        /// Which.
        zone: Zone,
        /// Of the nodes there.
        vswitch: VSwitchName,
    },
    /// The cloud has one or the other.
    #[error("node pool {pool} has eRDMA on and the plan has dual stack: switch one of them off")]
    RdmaWithDualStack {
        /// Which.
        pool: NodePoolName,
    },
    /// A pod that has the ENI itself goes past what accelerates.
    #[error(
        "node pool {pool} is exclusive and has acceleration (DataPath V2, IPVLAN) on, which shared pools alone can have"
    )]
    ExclusiveAcceleration {
        /// Which.
        pool: NodePoolName,
    },
    /// Nobody would enforce them.
    #[error(
        "node pool {pool} is exclusive and has NetworkPolicy on, which holds for pods of shared pools alone"
    )]
    ExclusiveNetworkPolicy {
        /// Which.
        pool: NodePoolName,
    },
    /// A name that is in no catalogue.
    #[error("node pool {pool}: {}", catalogue::unknown(instance_type.as_str()))]
    TypeUnknown {
        /// Where.
        pool: NodePoolName,
        /// Which.
        instance_type: InstanceType,
    },
    /// Nodes of this type may not join.
    #[error("node pool {pool}: {instance_type} {obstacle}")]
    Type {
        /// Where.
        pool: NodePoolName,
        /// Which.
        instance_type: InstanceType,
        /// Why.
        obstacle: Obstacle,
    },
    /// The pool would be a shared one.
    #[error(
        "node pool {pool}: {instance_type} has 0 members of a trunk, and the pool's mode is shared+trunk"
    )]
    TrunkMissing {
        /// Where.
        pool: NodePoolName,
        /// Which.
        instance_type: InstanceType,
    },
}

// === impl Finding ===

impl Finding {
    /// For programs; stays.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HostBits { .. } => "host_bits",
            Self::WrongFamily { .. } => "wrong_family",
            Self::VSwitchMissing { side: Side::Node } => "node_vswitch_missing",
            Self::VSwitchMissing { side: Side::Pod } => "pod_vswitch_missing",
            Self::Ipv4Missing { .. } => "ipv4_cidr_missing",
            Self::Ipv6Missing { .. } => "ipv6_cidr_missing",
            Self::ServiceOverlap { .. } => "service_overlap",
            Self::PodOverlap { .. } => "pod_overlap",
            Self::ServiceIpv4Missing => "service_ipv4_missing",
            Self::ServiceIpv6Missing => "service_ipv6_missing",
            Self::ServiceIpv6WithoutDualStack { .. } => "service_ipv6_without_dual_stack",
            Self::KubernetesTooOld { .. } => "kubernetes_too_old",
            Self::KubernetesUnknown => "kubernetes_unknown",
            Self::FewZones { .. } => "few_zones",
            Self::ZoneWithoutPods { .. } => "zone_without_pods",
            Self::RdmaWithDualStack { .. } => "rdma_with_dual_stack",
            Self::ExclusiveAcceleration { .. } => "exclusive_acceleration",
            Self::ExclusiveNetworkPolicy { .. } => "exclusive_network_policy",
            Self::TypeUnknown { .. } => "type_unknown",
            Self::Type { obstacle, .. } => obstacle.code(),
            Self::TrunkMissing { .. } => "trunk_missing",
        }
    }

    /// Whether the plan has to be changed.
    pub fn severity(&self) -> Severity {
        match self {
            Self::ServiceIpv4Missing
            | Self::ServiceIpv6Missing
            | Self::KubernetesUnknown
            | Self::FewZones { .. }
            | Self::ZoneWithoutPods { .. }
            | Self::ExclusiveNetworkPolicy { .. }
            | Self::TrunkMissing { .. } => Severity::Warning,
            // What nobody knows may be well.
            Self::Type {
                obstacle: Obstacle::Ipv6Unknown | Obstacle::RdmaUnknown,
                ..
            } => Severity::Warning,
            _ => Severity::Refused,
        }
    }
}

// === impl Side ===

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::Pod => "pod",
        })
    }
}

fn family(cidr: &IpNet) -> Family {
    Family::of(cidr.addr())
}
