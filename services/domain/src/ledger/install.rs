//! The only place that changes rows, indexes and counters: a change in, its effect on the state.
//!
//! A decision and a replayed history come through here alike, so that one cannot do what the other does not.

use super::Ledger;
use super::addresses::Place;
use crate::address::{Family, address, number};
use crate::id::{AttachmentKey, NodeId, VSwitchId};
use crate::row::{AddressState, Allocation, Change, Phase, VSwitch};
use std::sync::Arc;

// === impl Ledger ===

impl Ledger {
    /// Installs changes in order. An allocation stands before the addresses that name it as bound.
    pub(crate) fn install(&mut self, changes: &[Change]) {
        for change in changes {
            self.install_one(change);
        }
    }

    fn install_one(&mut self, change: &Change) {
        match change {
            Change::Address {
                vswitch,
                address,
                after,
                ..
            } => {
                self.install_address(*vswitch, number(*address), after.as_ref());
            }
            Change::Allocation { key, after, .. } => self.install_allocation(key, after.as_ref()),
            Change::Claim { id, after, .. } => self.claims.set(*id, after.clone()),
            Change::Node { id, after, .. } => self.install_node(*id, after.clone()),
            Change::VSwitch { id, after, .. } => self.install_vswitch(*id, after.as_ref()),
            Change::Tombstone { key, after, .. } => {
                self.attachments.set_tombstone(key, after.clone());
            }
            Change::Request {
                principal,
                id,
                after,
                ..
            } => {
                self.requests.set(principal, id, after.clone());
            }
            Change::Cluster { after, .. } => self.cluster_row = *after,
            Change::Member { id, after, .. } => match after {
                Some(member) => Arc::make_mut(&mut self.members).insert(*id, member.clone()),
                None => Arc::make_mut(&mut self.members).remove(id),
            }
            .map_or((), drop),
            Change::Recovery { after, .. } => {
                if let Some(row) = after {
                    self.cluster = row.cluster.clone();
                }
                self.recoveries.last = after.clone();
            }
            Change::OwedReport { node, after, .. } => self.recoveries.set_owed(*node, *after),
            Change::NodePool { id, after, .. } => match after {
                Some(pool) => Arc::make_mut(&mut self.node_pools).insert(*id, pool.clone()),
                None => Arc::make_mut(&mut self.node_pools).remove(id),
            }
            .map_or((), drop),
            Change::Eni { number, after, .. } => self.enis.set(*number, after.clone()),
            Change::Job { id, after, .. } => self.enis.set_job(*id, after.clone()),
            Change::Stray {
                node, key, after, ..
            } => self.recoveries.set_stray(*node, key, after.clone()),
        }
    }

    fn install_address(&mut self, vswitch: VSwitchId, number: u128, after: Option<&AddressState>) {
        let slot = |key: &AttachmentKey| self.attachments.slot(key);
        let place = after.and_then(|state| {
            Place::of(state, || match state {
                AddressState::Bound { key, .. } => slot(key),
                _ => None,
            })
        });
        let after = place.as_ref().map_or(Phase::NeverUsed, Place::phase);
        let after_node = place.as_ref().and_then(Place::node);
        let before = self.addresses.set(number, place);
        let before_node = before.as_ref().and_then(Place::node);
        let before = before.as_ref().map_or(Phase::NeverUsed, Place::phase);
        self.vswitches
            .pass(vswitch, Family::of(address(number)), before, after);
        if let Some(node) = before_node {
            self.nodes.leave(node, number, before);
        }
        if let Some(node) = after_node {
            self.nodes.come(node, number, after);
        }
    }

    fn install_allocation(&mut self, key: &Arc<AttachmentKey>, after: Option<&Arc<Allocation>>) {
        let (slot, before) = self.attachments.set_allocation(key, after.cloned());
        if let Some(before) = before {
            self.nodes.forget_allocation(before.node, before.generation);
        }
        if let (Some(slot), Some(after)) = (slot, after) {
            self.nodes
                .know_allocation(after.node, after.generation, slot);
        }
    }

    fn install_node(&mut self, id: NodeId, after: Option<Arc<crate::row::Node>>) {
        self.nodes.set(id, after);
    }

    /// A vSwitch that ends takes the rows of its free and cooling addresses with it; so does one that gives some out no more.
    fn install_vswitch(&mut self, id: VSwitchId, after: Option<&Arc<VSwitch>>) {
        let before = self.vswitches.get(id).map(|entry| entry.row.clone());
        let stays = |number: &u128| {
            let at = address(*number);
            after.is_some_and(|row| row.contains(at) && !row.excludes(at))
        };
        let subnets = before.iter().flat_map(|row| row.subnets());
        let used = subnets.flat_map(|subnet| self.addresses.span(subnet.span()));
        let used: Vec<u128> = used.map(|(number, _)| number).collect();
        let (stay, go): (Vec<u128>, Vec<u128>) = used.into_iter().partition(stays);
        for number in go {
            self.install_address(id, number, None);
        }
        self.vswitches.set(id, after.cloned());
        for number in stay {
            let place = self.addresses.get(number);
            let phase = place.map_or(Phase::NeverUsed, Place::phase);
            let family = Family::of(address(number));
            self.vswitches.pass(id, family, Phase::NeverUsed, phase);
        }
    }
}
