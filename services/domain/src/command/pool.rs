//! Pools of nodes.

use crate::capacity::NodeMode;
use crate::id::*;
use crate::row::VSwitchChoice;

/// See [`super::Command::SetNodePool`]. Refused if it would change the mode of a pool that has nodes: a node's mode is
/// for its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetNodePool {
    /// Which; a name that is not known makes a new pool.
    pub name: NodePoolName,
    /// How pods get at ENIs.
    pub mode: NodeMode,
    /// Where pods' ENIs may be, in order; at least one, all of a VPC and of the same families.
    pub vswitches: Vec<VSwitchId>,
    /// Those of them that nothing new comes from.
    pub draining: Vec<VSwitchId>,
    /// Which is taken first.
    pub choice: VSwitchChoice,
    /// 1 to 10.
    pub security_groups: Vec<SecurityGroup>,
    /// Warm sets of addresses, per node.
    pub min_idle: u32,
    /// Warm sets of addresses, per node; not below `min_idle`.
    pub max_idle: u32,
    /// ENIs that are to go once nothing is on them.
    pub blocked: Vec<EniId>,
}

/// See [`super::Command::DeleteNodePool`]. Refused while it has nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteNodePool {
    /// Which.
    pub name: NodePoolName,
}
