//! What the actors of one term look up: nodes, vSwitches and claims by name. Kept in step with what was applied.
//!
//! Addresses and allocations are not in here: a VSwitchActor has its own, and so has a NodeActor.

use berth_domain::Ledger;
use berth_domain::address::Subnet;
use berth_domain::id::*;
use berth_domain::outcome::Refusal;
use berth_domain::row::{
    Change, Claim, ClaimState, Eni, Job, Node, NodePool, Policy, Recovery, VSwitch,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct View {
    nodes: HashMap<NodeId, Arc<Node>>,
    node_names: HashMap<NodeName, NodeId>,
    vswitches: BTreeMap<VSwitchId, Arc<VSwitch>>,
    vswitch_names: HashMap<VSwitchName, VSwitchId>,
    pools: BTreeMap<NodePoolId, Arc<NodePool>>,
    enis: BTreeMap<EniNumber, Arc<Eni>>,
    jobs: BTreeMap<JobId, Arc<Job>>,
    claims: HashMap<ClaimId, Arc<Claim>>,
    claim_names: HashMap<ClaimName, ClaimId>,
    /// Claims that end with their pod and have no holder.
    fleeting: BTreeSet<ClaimId>,
    /// The one that is open.
    recovery: Option<Arc<Recovery>>,
    revision: Revision,
}

// === impl View ===

impl View {
    /// As the ledger has it.
    pub fn of(ledger: &Ledger) -> Self {
        let mut view = Self::default();
        for row in ledger.nodes() {
            view.observe_node(row.id, None, Some(row));
        }
        for row in ledger.vswitches() {
            view.observe_vswitch(row.id, None, Some(row));
        }
        let pools = ledger.node_pools();
        view.pools = pools.map(|row| (row.id, Arc::clone(row))).collect();
        let enis = ledger.enis();
        view.enis = enis.map(|row| (row.number, Arc::clone(row))).collect();
        let jobs = ledger.jobs();
        view.jobs = jobs.map(|row| (row.id, Arc::clone(row))).collect();
        for row in ledger.claims() {
            view.observe_claim(row.id, None, Some(row));
        }
        view.recovery = ledger.recovery().filter(|row| row.is_open()).cloned();
        view.reach(ledger.revision());
        view
    }

    /// A node by its registered name.
    pub fn node(&self, name: &NodeName) -> Option<&Arc<Node>> {
        self.nodes.get(self.node_names.get(name)?)
    }

    /// A node by id.
    pub fn node_by_id(&self, id: NodeId) -> Option<&Arc<Node>> {
        self.nodes.get(&id)
    }

    /// A vSwitch by name.
    pub fn vswitch(&self, name: &VSwitchName) -> Option<&Arc<VSwitch>> {
        self.vswitches.get(self.vswitch_names.get(name)?)
    }

    /// A vSwitch by id.
    pub fn vswitch_by_id(&self, id: VSwitchId) -> Option<&Arc<VSwitch>> {
        self.vswitches.get(&id)
    }

    /// The vSwitch whose CIDR has an address.
    pub fn vswitch_of(&self, address: IpAddr) -> Option<&Arc<VSwitch>> {
        let has = |subnet: &Option<Subnet>| {
            subnet
                .as_ref()
                .is_some_and(|subnet| subnet.cidr.contains(&address))
        };
        self.vswitches
            .values()
            .find(|vswitch| has(&vswitch.ipv4) || has(&vswitch.ipv6))
    }

    /// All vSwitches, the oldest first.
    pub fn vswitches(&self) -> impl Iterator<Item = &Arc<VSwitch>> + Clone {
        self.vswitches.values()
    }

    /// All nodes, in no order.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.values()
    }

    /// The pool of a node, if it is in one.
    pub fn pool_of(&self, node: &Node) -> Option<&Arc<NodePool>> {
        self.pools.get(&node.pool?)
    }

    /// Every pool.
    pub fn pools(&self) -> impl Iterator<Item = &Arc<NodePool>> {
        self.pools.values()
    }

    /// All ENIs of ours, in the order of their planning.
    pub fn enis(&self) -> impl Iterator<Item = &Arc<Eni>> {
        self.enis.values()
    }

    /// All jobs, in the order of their begin.
    pub fn jobs(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.jobs.values()
    }

    /// A claim by what it is for.
    pub fn claim(&self, name: &ClaimName) -> Option<&Arc<Claim>> {
        self.claims.get(self.claim_names.get(name)?)
    }

    /// A claim by id.
    pub fn claim_by_id(&self, id: ClaimId) -> Option<&Arc<Claim>> {
        self.claims.get(&id)
    }

    /// Up to `limit` claims after `after` that end with their pod and have no holder, the oldest first.
    pub fn fleeting_claims(&self, after: ClaimId, limit: usize) -> Vec<Arc<Claim>> {
        let after = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        let ids = self.fleeting.range(after).take(limit);
        ids.filter_map(|id| self.claims.get(id).cloned()).collect()
    }

    /// Why nothing is given out, while a recovery is open.
    pub fn recovering(&self) -> Option<Refusal> {
        let name = |id: NodeId| self.nodes.get(&id).map(|node| node.name.clone());
        self.recovery.as_ref().map(|row| row.refusal(name))
    }

    /// What was applied up to here is in here.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Says that all changes up to this revision were observed.
    pub fn reach(&mut self, revision: Revision) {
        self.revision = revision;
    }

    /// Takes one applied change in.
    pub fn observe(&mut self, change: &Change) {
        match change {
            Change::Node { id, before, after } => {
                self.observe_node(*id, before.as_ref(), after.as_ref())
            }
            Change::VSwitch { id, before, after } => {
                self.observe_vswitch(*id, before.as_ref(), after.as_ref())
            }
            Change::Claim { id, before, after } => {
                self.observe_claim(*id, before.as_ref(), after.as_ref())
            }
            Change::Recovery { after, .. } => {
                self.recovery = after.clone().filter(|row| row.is_open());
            }
            Change::OwedReport { node, after, .. } => {
                if let Some(row) = self.recovery.as_mut().map(Arc::make_mut) {
                    row.owe(*node, *after);
                }
            }
            Change::NodePool { id, after, .. } => put(&mut self.pools, *id, after),
            Change::Eni { number, after, .. } => put(&mut self.enis, *number, after),
            Change::Job { id, after, .. } => put(&mut self.jobs, *id, after),
            Change::Stray { .. }
            | Change::Address { .. }
            | Change::Allocation { .. }
            | Change::Tombstone { .. }
            | Change::Request { .. }
            | Change::Member { .. }
            | Change::Cluster { .. } => {}
        }
    }

    /// A node's row, before and after.
    pub fn observe_node(
        &mut self,
        id: NodeId,
        before: Option<&Arc<Node>>,
        after: Option<&Arc<Node>>,
    ) {
        if let Some(before) = before {
            self.node_names.remove(&before.name);
            self.nodes.remove(&id);
        }
        if let Some(after) = after {
            self.node_names.insert(after.name.clone(), id);
            self.nodes.insert(id, Arc::clone(after));
        }
    }

    /// A vSwitch's row, before and after.
    pub fn observe_vswitch(
        &mut self,
        id: VSwitchId,
        before: Option<&Arc<VSwitch>>,
        after: Option<&Arc<VSwitch>>,
    ) {
        if let Some(before) = before {
            self.vswitch_names.remove(&before.name);
            self.vswitches.remove(&id);
        }
        if let Some(after) = after {
            self.vswitch_names.insert(after.name.clone(), id);
            self.vswitches.insert(id, Arc::clone(after));
        }
    }

    /// A claim's row, before and after.
    pub fn observe_claim(
        &mut self,
        id: ClaimId,
        before: Option<&Arc<Claim>>,
        after: Option<&Arc<Claim>>,
    ) {
        if let Some(before) = before {
            self.claim_names.remove(&before.name);
            self.claims.remove(&id);
            self.fleeting.remove(&id);
        }
        if let Some(after) = after {
            self.claim_names.insert(after.name.clone(), id);
            self.claims.insert(id, Arc::clone(after));
            if after.policy == Policy::Delete && matches!(after.state, ClaimState::Held { .. }) {
                self.fleeting.insert(id);
            }
        }
    }
}

fn put<K: Ord, T>(rows: &mut BTreeMap<K, Arc<T>>, id: K, after: &Option<Arc<T>>) {
    match after {
        Some(row) => rows.insert(id, Arc::clone(row)),
        None => rows.remove(&id),
    };
}
