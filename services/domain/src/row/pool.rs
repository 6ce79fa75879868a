//! A pool of nodes that are alike: how their pods get at ENIs, and from where.

use crate::capacity::NodeMode;
use crate::id::*;

/// Nodes of one mode, with the vSwitches and security groups that their pods' ENIs get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePool {
    /// Its id.
    pub id: NodePoolId,
    /// Its name; unique.
    pub name: NodePoolName,
    /// How pods get at ENIs. It does not change while the pool has nodes.
    pub mode: NodeMode,
    /// Where pods' ENIs may be, apart from the nodes' own: VPC's, of the same families. The order is that of
    /// [`VSwitchChoice::Ordered`].
    pub vswitches: Vec<VSwitchId>,
    /// Those of them that nothing new comes from.
    pub draining: Vec<VSwitchId>,
    /// Which of those in the node's zone is taken first.
    pub choice: VSwitchChoice,
    /// For every ENI; 1 to 10, sorted.
    pub security_groups: Vec<SecurityGroup>,
    /// Warm sets of addresses that each node keeps at least.
    pub min_idle: u32,
    /// Warm sets of addresses that each node keeps at most.
    pub max_idle: u32,
    /// ENIs that nothing new comes onto, and that go once nothing is on them; sorted.
    pub blocked: Vec<EniId>,
}

/// Which vSwitch of a zone a new ENI is made in. One that is full, or that the cloud refuses, is passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VSwitchChoice {
    /// The first that has room.
    #[default]
    Ordered,
    /// Any that has room.
    Random,
    /// The one with most free addresses; those on their way onto an ENI are not free.
    MostFree,
}

// === impl NodePool ===

impl NodePool {
    /// Whether new ENIs and addresses may come from a vSwitch.
    pub fn takes_from(&self, vswitch: VSwitchId) -> bool {
        self.vswitches.contains(&vswitch) && !self.draining.contains(&vswitch)
    }
}

// === impl VSwitchChoice ===

impl VSwitchChoice {
    /// Every one. The log numbers them as they stand here: new ones come last.
    pub const ALL: [Self; 3] = [Self::Ordered, Self::Random, Self::MostFree];

    /// For people, and as they say it: "most-free".
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Random => "random",
            Self::MostFree => "most-free",
        }
    }
}
