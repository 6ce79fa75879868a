//! Pools of nodes.

use crate::capacity::NodeMode;
use crate::id::*;
use crate::row::{EniTag, IdleSettings, VSwitchChoice};

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
    /// Per node; its minimum is not above its maximum.
    pub idle: IdleSettings,
    /// ENIs that are to go once nothing is on them.
    pub blocked: Vec<EniId>,
    /// What ENIs have to be tagged with; each key once.
    pub eni_tags: Vec<EniTag>,
    /// Refused with exclusive nodes.
    pub acceleration: bool,
    /// Warned of with exclusive nodes.
    pub network_policy: bool,
}

/// See [`super::Command::DeleteNodePool`]. Refused while it has nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteNodePool {
    /// Which.
    pub name: NodePoolName,
}
