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
    /// Warm sets of addresses that each node keeps.
    pub idle: IdleSettings,
    /// ENIs that nothing new comes onto, and that go once nothing is on them; sorted.
    pub blocked: Vec<EniId>,
    /// What an ENI of its nodes has to be tagged with: new ones get it, any other without it is left alone; sorted, each key once.
    pub eni_tags: Vec<EniTag>,
    /// Its nodes' data path is accelerated (DataPath V2, IPVLAN); never of exclusive nodes.
    pub acceleration: bool,
    /// NetworkPolicies are meant to hold on its nodes; on exclusive ones they do not.
    pub network_policy: bool,
}

/// How many warm sets of addresses each node keeps, and when those it does not need go back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdleSettings {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
    /// A new node has so many sets once before these bounds count, bound ones included; more than `max` may be. A leader that finds
    /// ENIs on a node when it begins takes it for warmed up.
    pub warm_up: u32,
    /// A set above `min` that was idle for so long goes back, ms; 0 = only what is above `max` does.
    pub reclaim_after_ms: u64,
    /// So many go back at once; 0 = all.
    pub reclaim_batch: u32,
    /// Between two batches, ms.
    pub reclaim_every_ms: u64,
}

/// A tag, as the cloud has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EniTag {
    /// Which.
    pub key: TagKey,
    /// What it says.
    pub value: TagValue,
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
