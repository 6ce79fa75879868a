//! An address plan before anything is made of it: which CIDRs, families, modes and types of a cluster do not go together.
//!
//! Most of a plan cannot be changed once the cluster is there (design §7), and the cloud finds out late: by pods without an
//! address, or Services that nobody reaches. Pure: a plan goes in, findings come out, always in the same order.

mod addresses;
mod finding;
mod kubernetes;
mod pools;
mod stack;
mod zones;

pub use finding::{Finding, Severity, Side};
pub use kubernetes::KubernetesVersion;

use crate::capacity::{NodeMode, Stack, Thresholds};
use crate::id::{InstanceType, NodePoolName, VSwitchName, Zone};
use ipnet::IpNet;

/// What a cluster is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Which families pods and Services have.
    pub stack: Stack,
    /// None = not said; then what depends on it is not checked.
    pub kubernetes: Option<KubernetesVersion>,
    /// Where nodes have their primary ENIs.
    pub node_vswitches: Vec<PlannedVSwitch>,
    /// Where pods have their addresses; they may be the nodes' own.
    pub pod_vswitches: Vec<PlannedVSwitch>,
    /// The Services' IPv4 CIDR.
    pub service_ipv4: Option<IpNet>,
    /// The Services' IPv6 CIDR.
    pub service_ipv6: Option<IpNet>,
    /// What the cluster's nodes are.
    pub pools: Vec<NodePool>,
    /// What a node has to give.
    pub thresholds: Thresholds,
}

/// A vSwitch of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedVSwitch {
    /// Its name or the cloud's id.
    pub name: VSwitchName,
    /// Where it lies; its nodes lie there too.
    pub zone: Zone,
    /// As it was said: host bits and all.
    pub ipv4: Option<IpNet>,
    /// As it was said.
    pub ipv6: Option<IpNet>,
}

/// Nodes that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePool {
    /// Its name.
    pub name: NodePoolName,
    /// How its pods get at ENIs.
    pub mode: NodeMode,
    /// Whether ENIs are kept for eRDMA.
    pub rdma: bool,
    /// Whether DataPath V2, or IPVLAN with eBPF, is on.
    pub acceleration: bool,
    /// Whether NetworkPolicies are to hold for its pods.
    pub network_policy: bool,
    /// Which types its nodes may have.
    pub instance_types: Vec<InstanceType>,
}

// === impl Plan ===

impl Plan {
    /// Everything that does not go together; empty = nothing was found. The plan can be used if no finding is refused.
    pub fn findings(&self) -> Vec<Finding> {
        let rules = [
            addresses::host_bits,
            addresses::families,
            addresses::missing,
            addresses::overlaps,
            stack::findings,
            zones::findings,
            pools::findings,
        ];
        rules.iter().flat_map(|rule| rule(self)).collect()
    }

    /// All vSwitches, the nodes' first.
    fn vswitches(&self) -> impl Iterator<Item = (Side, &PlannedVSwitch)> {
        let nodes = self.node_vswitches.iter().map(|one| (Side::Node, one));
        nodes.chain(self.pod_vswitches.iter().map(|one| (Side::Pod, one)))
    }
}

// === impl PlannedVSwitch ===

impl PlannedVSwitch {
    /// Its CIDRs, IPv4 first.
    fn cidrs(&self) -> impl Iterator<Item = IpNet> {
        self.ipv4.into_iter().chain(self.ipv6)
    }
}

#[cfg(test)]
mod tests;
