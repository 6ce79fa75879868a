//! Splits applied event groups by who must hear of them, so that each actor's view follows the ledger.
//!
//! Pure. Changes keep their order; each carries its revision, because an actor that was drawn from the ledger at
//! a revision has seen everything up to it.

use crate::planted::{self, Planted};
use berth_domain::event::EventGroup;
use berth_domain::id::{ClaimName, NodeId, Revision, VSwitchId};
use berth_domain::row::{AddressState, Change, Eni, Job};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A change and the revision that made it.
pub type Dated = (Revision, Change);

/// One turn's changes, by who must hear of them.
#[derive(Debug, Default)]
pub struct Batches {
    /// Addresses and rows, per vSwitch.
    pub vswitches: BTreeMap<VSwitchId, Vec<Dated>>,
    /// Allocations, warm addresses and rows, per node.
    pub nodes: BTreeMap<NodeId, Vec<Dated>>,
    /// Node, vSwitch, claim and recovery rows, for whoever looks them up by name.
    pub rows: Vec<Dated>,
    /// ENIs, jobs, and what their calls are made with.
    pub cloud: Vec<Dated>,
    /// What concerns all vSwitches and nodes: whether a recovery is open.
    pub everyone: Vec<Dated>,
    /// Claims that changed; whoever waits for one looks again.
    pub claims: Vec<ClaimName>,
    /// Everything up to here is in it; 0 if nothing is.
    pub revision: Revision,
}

// === impl Batches ===

impl Batches {
    /// Takes groups in, in order.
    pub fn take(&mut self, groups: &[EventGroup]) {
        for group in groups {
            self.revision = group.revision;
            for change in &group.changes {
                self.take_change(group.revision, change);
            }
        }
    }

    fn take_change(&mut self, revision: Revision, change: &Change) {
        match change {
            Change::Address {
                vswitch,
                before,
                after,
                ..
            } => {
                self.vswitches
                    .entry(*vswitch)
                    .or_default()
                    .push((revision, change.clone()));
                for node in nodes(stands_on(before), stands_on(after)) {
                    self.nodes
                        .entry(node)
                        .or_default()
                        .push((revision, change.clone()));
                }
            }
            Change::Allocation { before, after, .. } => {
                let node = |row: &Option<std::sync::Arc<berth_domain::row::Allocation>>| {
                    row.as_ref().map(|row| row.node)
                };
                for node in nodes(node(before), node(after)) {
                    self.nodes
                        .entry(node)
                        .or_default()
                        .push((revision, change.clone()));
                }
            }
            Change::Node { id, .. } => {
                self.nodes
                    .entry(*id)
                    .or_default()
                    .push((revision, change.clone()));
                self.rows.push((revision, change.clone()));
                self.cloud.push((revision, change.clone()));
            }
            Change::VSwitch { id, .. } => {
                self.vswitches
                    .entry(*id)
                    .or_default()
                    .push((revision, change.clone()));
                self.rows.push((revision, change.clone()));
                self.cloud.push((revision, change.clone()));
            }
            Change::Claim { before, after, .. } => {
                let row = after.as_ref().or(before.as_ref());
                self.claims.extend(row.map(|row| row.name.clone()));
                self.rows.push((revision, change.clone()));
            }
            Change::Cluster { .. } => self.rows.push((revision, change.clone())),
            Change::Recovery { .. } | Change::OwedReport { .. } => {
                self.rows.push((revision, change.clone()));
                self.everyone.push((revision, change.clone()));
            }
            Change::Eni { before, after, .. } => {
                let node = |row: &Option<Arc<Eni>>| row.as_ref().map(|row| row.node);
                self.take_cloud(revision, change, nodes(node(before), node(after)));
            }
            Change::Job { before, after, .. } => {
                let node = |row: &Option<Arc<Job>>| row.as_ref().map(|row| row.node);
                self.take_cloud(revision, change, nodes(node(before), node(after)));
            }
            Change::NodePool { .. } => {
                self.rows.push((revision, change.clone()));
                self.cloud.push((revision, change.clone()));
            }
            Change::Tombstone { .. }
            | Change::Request { .. }
            | Change::Member { .. }
            | Change::Stray { .. } => {}
        }
    }

    fn take_cloud(
        &mut self,
        revision: Revision,
        change: &Change,
        nodes: impl Iterator<Item = NodeId>,
    ) {
        for node in nodes {
            let batch = self.nodes.entry(node).or_default();
            batch.push((revision, change.clone()));
        }
        self.rows.push((revision, change.clone()));
        self.cloud.push((revision, change.clone()));
    }
}

/// Those that are later than what its reader has seen.
pub fn later(changes: Vec<Dated>, seen: Revision) -> Vec<Change> {
    let later = changes.into_iter().filter(|(revision, _)| *revision > seen);
    later.map(|(_, change)| change).collect()
}

/// The node whose actor counts an address without a sandbox: a warm one is its to give, and one that rests on an ENI has room there.
fn stands_on(state: &Option<AddressState>) -> Option<NodeId> {
    match state {
        Some(AddressState::Idle { node, .. }) => Some(*node),
        Some(AddressState::Cooling {
            node: Some(node),
            eni: Some(_),
            ..
        }) if !planted::has(Planted::RestsUnheard) => Some(*node),
        _ => None,
    }
}

/// Each once.
fn nodes(before: Option<NodeId>, after: Option<NodeId>) -> impl Iterator<Item = NodeId> {
    before
        .into_iter()
        .chain(after.filter(|after| before != Some(*after)))
}

#[cfg(test)]
mod tests;
