//! Node pools by id and name. There are a few: whoever looks for one walks over them.

use super::Ledger;
use crate::id::{CloudVSwitchId, NodePoolId, NodePoolName, VSwitchId};
use crate::row::{Node, NodePool, VSwitch};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All pools.
pub(crate) type NodePools = Arc<BTreeMap<NodePoolId, Arc<NodePool>>>;

// === impl Ledger ===

impl Ledger {
    /// A pool of nodes.
    pub fn node_pool(&self, id: NodePoolId) -> Option<&Arc<NodePool>> {
        self.node_pools.get(&id)
    }

    /// A pool by its name.
    pub fn node_pool_named(&self, name: &NodePoolName) -> Option<&Arc<NodePool>> {
        self.node_pools().find(|pool| pool.name == *name)
    }

    /// All pools, in the order of their making.
    pub fn node_pools(&self) -> impl Iterator<Item = &Arc<NodePool>> {
        self.node_pools.values()
    }

    /// The nodes of a pool, in the order of their registration.
    pub fn nodes_of(&self, pool: NodePoolId) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes().filter(move |node| node.pool == Some(pool))
    }

    /// The pool of a node, if it is in one.
    pub fn pool_of(&self, node: &Node) -> Option<&Arc<NodePool>> {
        self.node_pool(node.pool?)
    }

    /// A pool that names a vSwitch.
    pub(crate) fn pool_with(&self, vswitch: VSwitchId) -> Option<&Arc<NodePool>> {
        self.node_pools()
            .find(|pool| pool.vswitches.contains(&vswitch))
    }

    /// The vSwitch that the cloud calls so.
    pub fn vswitch_in_cloud(&self, cloud: &CloudVSwitchId) -> Option<&Arc<VSwitch>> {
        self.vswitches()
            .find(|row| row.cloud.as_ref() == Some(cloud))
    }
}
