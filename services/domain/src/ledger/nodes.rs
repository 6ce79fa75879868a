//! Nodes by id, name and identity; what stands on each.

use super::slab::Slab;
use super::sorted::Sorted;
use crate::address::{Family, address};
use crate::id::{Generation, NodeId, NodeIdentity, NodeName};
use crate::row::{Node, Phase};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A node rarely has more than 256 pods: a few chunks.
const CHUNK_ALLOCATIONS: usize = 64;

/// How many addresses stand on a node, and how many allocations it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeUsage {
    /// Attachments with addresses.
    pub allocations: u32,
    /// By family, IPv4 first.
    pub families: [Standing; 2],
}

/// The addresses of one family that stand on a node and take room on its ENIs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Held by its sandboxes.
    pub bound: u32,
    /// Warm.
    pub idle: u32,
    /// Resting on one of its ENIs; on a routed network a cooling address stands nowhere.
    pub cooling: u32,
    /// A cloud call assigns them, or takes them away.
    pub in_transit: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) row: Arc<Node>,
    pub(crate) usage: NodeUsage,
    /// Generation → slot of the attachment.
    pub(crate) allocations: Sorted<Generation, u32, CHUNK_ALLOCATIONS>,
    /// Addresses that stand here without a sandbox: warm, resting, in transit.
    pub(crate) standing: Sorted<u128, (), CHUNK_ALLOCATIONS>,
}

/// All nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nodes {
    rows: Slab<Arc<Entry>>,
    by_id: Sorted<NodeId, u32>,
    by_name: Arc<BTreeMap<NodeName, NodeId>>,
    by_identity: Arc<BTreeMap<NodeIdentity, NodeId>>,
}

// === impl NodeUsage ===

impl NodeUsage {
    /// Of one family.
    pub fn family(&self, family: Family) -> &Standing {
        &self.families[family as usize]
    }
}

// === impl Standing ===

impl Standing {
    /// All that takes room.
    pub fn total(&self) -> u32 {
        self.bound + self.idle + self.cooling + self.in_transit
    }

    fn of(&mut self, phase: Phase) -> Option<&mut u32> {
        match phase {
            Phase::Bound => Some(&mut self.bound),
            Phase::Idle => Some(&mut self.idle),
            Phase::Cooling => Some(&mut self.cooling),
            Phase::Reserved | Phase::Releasing => Some(&mut self.in_transit),
            _ => None,
        }
    }
}

// === impl Nodes ===

impl Nodes {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<&Entry> {
        self.rows.get(*self.by_id.get(&id)?).map(|entry| &**entry)
    }

    pub(crate) fn named(&self, name: &NodeName) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn identified(&self, identity: &NodeIdentity) -> Option<NodeId> {
        self.by_identity.get(identity).copied()
    }

    /// From an id on, in the order of their registration.
    pub(crate) fn from(&self, id: NodeId) -> impl Iterator<Item = &Entry> {
        let slots = self.by_id.from(id);
        slots.filter_map(|(_, slot)| self.rows.get(*slot).map(|entry| &**entry))
    }

    fn entry_mut(&mut self, id: NodeId) -> Option<&mut Entry> {
        self.rows.get_mut(*self.by_id.get(&id)?).map(Arc::make_mut)
    }

    /// Makes a node known, changes it, or forgets it.
    pub(crate) fn set(&mut self, id: NodeId, after: Option<Arc<Node>>) {
        if let Some(before) = self.get(id).map(|entry| entry.row.clone()) {
            Arc::make_mut(&mut self.by_name).remove(&before.name);
            Arc::make_mut(&mut self.by_identity).remove(&before.identity);
        }
        let Some(row) = after else {
            if let Some(slot) = self.by_id.remove(&id) {
                self.rows.remove(slot);
            }
            return;
        };
        Arc::make_mut(&mut self.by_name).insert(row.name.clone(), id);
        Arc::make_mut(&mut self.by_identity).insert(row.identity.clone(), id);
        match self.entry_mut(id) {
            Some(entry) => entry.row = row,
            None => {
                let entry = Entry {
                    row,
                    usage: NodeUsage::default(),
                    allocations: Sorted::default(),
                    standing: Sorted::default(),
                };
                self.by_id.insert(id, self.rows.insert(Arc::new(entry)));
            }
        }
    }

    pub(crate) fn know_allocation(&mut self, id: NodeId, generation: Generation, slot: u32) {
        if let Some(entry) = self.entry_mut(id) {
            entry.usage.allocations += 1;
            entry.allocations.insert(generation, slot);
        }
    }

    pub(crate) fn forget_allocation(&mut self, id: NodeId, generation: Generation) {
        if let Some(entry) = self.entry_mut(id) {
            entry.usage.allocations -= 1;
            entry.allocations.remove(&generation);
        }
    }

    /// An address comes to stand on a node.
    pub(crate) fn come(&mut self, id: NodeId, number: u128, phase: Phase) {
        let Some(entry) = self.entry_mut(id) else {
            return;
        };
        if let Some(count) = entry.standing_mut(number, phase) {
            *count += 1;
        }
        if phase != Phase::Bound {
            entry.standing.insert(number, ());
        }
    }

    /// An address stands on a node no more.
    pub(crate) fn leave(&mut self, id: NodeId, number: u128, phase: Phase) {
        let Some(entry) = self.entry_mut(id) else {
            return;
        };
        if let Some(count) = entry.standing_mut(number, phase) {
            *count -= 1;
        }
        if phase != Phase::Bound {
            entry.standing.remove(&number);
        }
    }

    #[cfg(test)]
    pub(crate) fn usage_mut(&mut self, id: NodeId) -> Option<&mut NodeUsage> {
        self.entry_mut(id).map(|entry| &mut entry.usage)
    }
}

// === impl Entry ===

impl Entry {
    fn standing_mut(&mut self, number: u128, phase: Phase) -> Option<&mut u32> {
        self.usage.families[Family::of(address(number)) as usize].of(phase)
    }
}
