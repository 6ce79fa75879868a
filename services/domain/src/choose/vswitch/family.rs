//! One family of a vSwitch. Choosing costs the same on an empty and on a full subnet.

use crate::address::{address, number};
use crate::id::{NodeId, Revision};
use crate::row::{AddressState, VSwitch};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Free addresses in the order in which they are given out, and who has the others.
#[derive(Clone, Debug)]
pub(super) struct FamilyPool {
    vswitch: Arc<VSwitch>,
    /// No address from here on was chosen; none = the subnet was walked through.
    next: Option<u128>,
    last: u128,
    /// At or after `next`, and known all the same: somebody asked for them.
    ahead: BTreeSet<u128>,
    /// Before `next`, and never used after all.
    unused: BTreeSet<u128>,
    /// Used and free again, oldest first.
    freed: BTreeSet<(Revision, u128)>,
    /// The same by address.
    freed_since: BTreeMap<u128, Revision>,
    /// Chosen for somebody, not yet seen in use. Since when it was free; none = never used.
    promised: BTreeMap<u128, Option<Revision>>,
    /// Warm, and not on the way back.
    idle: BTreeMap<NodeId, BTreeSet<u128>>,
    /// Nodes by how many they have in `idle`.
    richest: BTreeSet<(usize, NodeId)>,
    /// Warm ones on the way back, and from which node.
    leaving: BTreeMap<u128, NodeId>,
    cooling: BTreeSet<(u64, u128)>,
}

// === impl FamilyPool ===

impl FamilyPool {
    /// Of a subnet nobody has used.
    pub(super) fn new((first, last): (u128, u128), vswitch: &Arc<VSwitch>) -> Self {
        Self {
            vswitch: vswitch.clone(),
            next: Some(first),
            last,
            ahead: BTreeSet::new(),
            unused: BTreeSet::new(),
            freed: BTreeSet::new(),
            freed_since: BTreeMap::new(),
            promised: BTreeMap::new(),
            idle: BTreeMap::new(),
            richest: BTreeSet::new(),
            leaving: BTreeMap::new(),
            cooling: BTreeSet::new(),
        }
    }

    pub(super) fn promised(&self) -> usize {
        self.promised.len()
    }

    pub(super) fn idle(&self, node: NodeId) -> usize {
        self.idle.get(&node).map_or(0, BTreeSet::len)
    }

    pub(super) fn next_cooling_due_ms(&self) -> Option<u64> {
        self.cooling.first().map(|(until_ms, _)| *until_ms)
    }

    /// The next one, promised.
    pub(super) fn take(&mut self) -> Option<u128> {
        if let Some(number) = self.unused.pop_first().or_else(|| self.step()) {
            self.promised.insert(number, None);
            return Some(number);
        }
        let (since, number) = self.freed.pop_first()?;
        self.freed_since.remove(&number);
        self.promised.insert(number, Some(since));
        Some(number)
    }

    /// The next address that was never used, walking on. Excluded ranges are passed in one step.
    fn step(&mut self) -> Option<u128> {
        while let Some(at) = self.next.filter(|at| *at <= self.last) {
            if let Some(end) = self.excluded_until(at) {
                self.next = end.checked_add(1);
                continue;
            }
            self.next = at.checked_add(1);
            if !self.ahead.remove(&at) {
                return Some(at);
            }
        }
        None
    }

    /// The end of the excluded range in which the address is.
    fn excluded_until(&self, at: u128) -> Option<u128> {
        let excluded = &self.vswitch.excluded;
        let after = excluded.partition_point(|range| number(range.first) <= at);
        let range = excluded.get(after.checked_sub(1)?)?;
        Some(number(range.last)).filter(|last| *last >= at)
    }

    /// A specific one.
    pub(super) fn promise(&mut self, number: u128) -> bool {
        if self.promised.contains_key(&number) || self.vswitch.excludes(address(number)) {
            return false;
        }
        let walked = self.next.is_none_or(|next| number < next);
        if let Some(since) = self.take_freed(number) {
            self.promised.insert(number, Some(since));
            return true;
        }
        let unused = match walked {
            true => self.unused.remove(&number),
            false => self.ahead.insert(number),
        };
        if unused {
            self.promised.insert(number, None);
        }
        unused
    }

    pub(super) fn settle(&mut self, number: u128) {
        self.promised.remove(&number);
    }

    pub(super) fn give_back(&mut self, number: u128) {
        match self.promised.remove(&number) {
            Some(Some(since)) => self.put_freed(since, number),
            Some(None) => self.put_unused(number),
            None => {}
        }
    }

    fn put_freed(&mut self, since: Revision, number: u128) {
        self.freed.insert((since, number));
        self.freed_since.insert(number, since);
    }

    fn take_freed(&mut self, number: u128) -> Option<Revision> {
        let since = self.freed_since.remove(&number)?;
        self.freed.remove(&(since, number));
        Some(since)
    }

    fn put_unused(&mut self, number: u128) {
        self.ahead.remove(&number);
        if self.next.is_none_or(|next| number < next) {
            self.unused.insert(number);
        }
    }

    /// An address goes from one state to another.
    pub(super) fn pass(
        &mut self,
        number: u128,
        before: Option<&AddressState>,
        after: Option<&AddressState>,
    ) {
        match before {
            None => {
                self.unused.remove(&number);
                if self.next.is_some_and(|next| number >= next) {
                    self.ahead.insert(number);
                }
            }
            Some(AddressState::Free { .. }) => {
                self.take_freed(number);
            }
            Some(AddressState::Idle { node, .. }) => self.leave(*node, number),
            Some(AddressState::Cooling { until_ms, .. }) => {
                self.cooling.remove(&(*until_ms, number));
            }
            _ => {}
        }
        // Whatever was promised of the state before is void now.
        self.promised.remove(&number);
        match after {
            None => self.put_unused(number),
            Some(AddressState::Free { since }) => self.put_freed(*since, number),
            Some(AddressState::Idle { node, .. }) => self.come(*node, number),
            Some(AddressState::Cooling { until_ms, .. }) => {
                self.cooling.insert((*until_ms, number));
            }
            _ => {}
        }
    }

    fn come(&mut self, node: NodeId, number: u128) {
        let before = self.idle(node);
        self.idle.entry(node).or_default().insert(number);
        self.rank(node, before);
    }

    fn leave(&mut self, node: NodeId, number: u128) {
        let before = self.idle(node);
        if let Some(idle) = self.idle.get_mut(&node) {
            idle.remove(&number);
            if idle.is_empty() {
                self.idle.remove(&node);
            }
        }
        self.leaving.remove(&number);
        self.rank(node, before);
    }

    /// The ledger refused to take it back.
    pub(super) fn keep(&mut self, number: u128) {
        if let Some(node) = self.leaving.remove(&number) {
            self.come(node, number);
        }
    }

    fn rank(&mut self, node: NodeId, before: usize) {
        self.richest.remove(&(before, node));
        let now = self.idle(node);
        if now > 0 {
            self.richest.insert((now, node));
        }
    }

    /// So many idle ones, each time from the node that has most.
    pub(super) fn reclaim(&mut self, count: usize) -> Vec<(NodeId, Vec<u128>)> {
        let mut taken: BTreeMap<NodeId, Vec<u128>> = BTreeMap::new();
        for _ in 0..count {
            let Some((_, node)) = self.richest.last().copied() else {
                break;
            };
            let Some(number) = self.idle.get(&node).and_then(BTreeSet::last).copied() else {
                break;
            };
            self.leave(node, number);
            self.leaving.insert(number, node);
            taken.entry(node).or_default().push(number);
        }
        taken.into_iter().collect()
    }
}
