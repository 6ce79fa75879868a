//! One node's warm addresses as its actor sees them: what to bind from, what to ask for, which ENI has room.

use super::{AddressSet, Families};
use crate::address::{Family, address, number};
use crate::id::{EniId, NodeId, VSwitchId};
use crate::ledger::Ledger;
use crate::row::{AddressState, Change, Node};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// A vSwitch is asked again when fewer than this part of the target is left, so that asks come in batches.
const LOW_PART: u32 = 2;

/// See the module. Built from a ledger, then kept in step with every applied change.
#[derive(Clone, Debug)]
pub struct NodeStock {
    node: Arc<Node>,
    /// Warm and not promised: (vSwitch, family as number, ENI) → addresses.
    warm: BTreeMap<(VSwitchId, Family, Option<EniId>), BTreeSet<u128>>,
    /// Chosen for an ADD, and where it stands.
    promised: BTreeMap<u128, (VSwitchId, Option<EniId>)>,
    /// Addresses of each family that stand on each ENI: bound, warm and cooling.
    enis: BTreeMap<EniId, [u32; 2]>,
    /// Asked for and not yet here, per vSwitch.
    asked: BTreeMap<VSwitchId, u32>,
    /// A recovery is open: what is warm may be in use.
    recovering: bool,
}

/// Where a node has room for one more address of a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// It has no ENIs, and so no limit.
    NoEni,
    /// On this ENI, the fullest that has room: whole ENIs become free again sooner.
    On(EniId),
    /// On an ENI that is to be attached first.
    Attach,
    /// Nowhere.
    Full,
}

// === impl NodeStock ===

impl NodeStock {
    /// Of a node as the ledger has it; none if it has not.
    pub fn new(ledger: &Ledger, id: NodeId) -> Option<Self> {
        let node = ledger.node(id)?.clone();
        let mut stock = Self {
            node,
            warm: BTreeMap::new(),
            promised: BTreeMap::new(),
            enis: BTreeMap::new(),
            asked: BTreeMap::new(),
            recovering: ledger.is_recovering(),
        };
        for allocation in ledger.node_allocations(id) {
            for address in &allocation.addresses {
                stock.load(allocation.eni.as_ref(), Family::of(*address), true);
            }
        }
        for (address, state) in ledger.node_standing(id) {
            if let Some(vswitch) = ledger.vswitch_containing(address) {
                stock.pass(vswitch.id, address, None, Some(&state));
            }
        }
        Some(stock)
    }

    /// The node's row.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Takes an applied change in; one of another node does nothing.
    pub fn observe(&mut self, change: &Change) {
        match change {
            Change::Recovery { after, .. } => {
                self.recovering = after.as_ref().is_some_and(|row| row.is_open());
            }
            Change::Node {
                id,
                after: Some(after),
                ..
            } if *id == self.node.id => {
                self.node = after.clone();
            }
            Change::Address {
                vswitch,
                address,
                before,
                after,
            } => {
                self.pass(*vswitch, *address, before.as_ref(), after.as_ref());
            }
            // A bound address names no ENI; its allocation does.
            Change::Allocation { before, after, .. } => {
                for (row, come) in [(before, false), (after, true)] {
                    let row = row.as_ref().filter(|row| row.node == self.node.id);
                    for address in row.iter().flat_map(|row| &row.addresses) {
                        let eni = row.and_then(|row| row.eni.as_ref());
                        self.load(eni, Family::of(*address), come);
                    }
                }
            }
            _ => {}
        }
    }

    fn pass(
        &mut self,
        vswitch: VSwitchId,
        address: IpAddr,
        before: Option<&AddressState>,
        after: Option<&AddressState>,
    ) {
        let family = Family::of(address);
        if let Some((eni, warm)) = self.standing(before) {
            self.load(eni.as_ref(), family, false);
            if warm {
                self.promised.remove(&number(address));
                self.warm_mut(vswitch, family, eni).remove(&number(address));
            }
        }
        if let Some((eni, warm)) = self.standing(after) {
            self.load(eni.as_ref(), family, true);
            if warm {
                self.warm_mut(vswitch, family, eni).insert(number(address));
            }
        }
        self.warm.retain(|_, numbers| !numbers.is_empty());
    }

    /// Whether an address without a sandbox stands on this node: on which ENI, and whether it is warm.
    fn standing(&self, state: Option<&AddressState>) -> Option<(Option<EniId>, bool)> {
        match state? {
            AddressState::Idle { node, eni } if *node == self.node.id => Some((eni.clone(), true)),
            AddressState::Cooling {
                node: Some(node),
                eni,
                ..
            } if *node == self.node.id => Some((eni.clone(), false)),
            _ => None,
        }
    }

    fn warm_mut(
        &mut self,
        vswitch: VSwitchId,
        family: Family,
        eni: Option<EniId>,
    ) -> &mut BTreeSet<u128> {
        self.warm.entry((vswitch, family, eni)).or_default()
    }

    fn load(&mut self, eni: Option<&EniId>, family: Family, come: bool) {
        let Some(eni) = eni else { return };
        let load = self.enis.entry(eni.clone()).or_default();
        let count = &mut load[family as usize];
        *count = if come {
            *count + 1
        } else {
            count.saturating_sub(1)
        };
        if *load == [0, 0] {
            self.enis.remove(eni);
        }
    }

    /// Chooses and promises a warm set, all families on one ENI; none if there is no complete one.
    pub fn take(
        &mut self,
        vswitch: VSwitchId,
        families: Families,
    ) -> Option<(Option<EniId>, AddressSet)> {
        self.take_beside(vswitch, families, &[])
    }

    /// The same, but from none of these ENIs. From the fullest ENI that has one: others become empty the sooner.
    pub fn take_beside(
        &mut self,
        vswitch: VSwitchId,
        families: Families,
        blocked: &[EniId],
    ) -> Option<(Option<EniId>, AddressSet)> {
        let eni = self.complete_on(vswitch, families, blocked)?;
        let mut set = AddressSet::with_capacity(2);
        for family in families.iter() {
            let warm = self.warm_mut(vswitch, family, eni.clone());
            let number = warm.pop_first()?;
            self.promised.insert(number, (vswitch, eni.clone()));
            set.push(address(number));
        }
        self.warm.retain(|_, numbers| !numbers.is_empty());
        Some((eni, set))
    }

    /// Whether [`Self::take_beside`] has something.
    pub fn has_beside(&self, vswitch: VSwitchId, families: Families, blocked: &[EniId]) -> bool {
        self.complete_on(vswitch, families, blocked).is_some()
    }

    /// The fullest ENI that has a warm address of each of the families and is not blocked.
    fn complete_on(
        &self,
        vswitch: VSwitchId,
        families: Families,
        blocked: &[EniId],
    ) -> Option<Option<EniId>> {
        let enis: BTreeSet<Option<EniId>> =
            self.of(vswitch).map(|(_, eni, _)| eni.clone()).collect();
        let complete = |eni: &Option<EniId>| {
            let has = |family| self.warm.contains_key(&(vswitch, family, eni.clone()));
            let is_open = eni.as_ref().is_none_or(|eni| !blocked.contains(eni));
            is_open && families.iter().all(has)
        };
        let in_order = enis.into_iter().rev().filter(complete);
        in_order
            .max_by_key(|eni| eni.as_ref().map_or([0, 0], |eni| self.load_of(eni)))
            .filter(|_| !self.recovering)
    }

    /// Addresses of each family that stand on an ENI: bound, warm and cooling.
    pub fn load_of(&self, eni: &EniId) -> [u32; 2] {
        self.enis.get(eni).copied().unwrap_or_default()
    }

    /// Warm addresses on an ENI that are not promised, in order.
    pub fn warm_on(&self, eni: &EniId) -> Vec<IpAddr> {
        let here = |((_, _, on), _): &(&(VSwitchId, Family, Option<EniId>), &BTreeSet<u128>)| {
            on.as_ref() == Some(eni)
        };
        let rows = self.warm.iter().filter(here);
        rows.flat_map(|(_, numbers)| numbers.iter().copied().map(address))
            .collect()
    }

    fn of(&self, id: VSwitchId) -> impl Iterator<Item = (Family, &Option<EniId>, usize)> {
        let rows = self
            .warm
            .iter()
            .filter(move |((vswitch, ..), _)| *vswitch == id);
        rows.map(|((_, family, eni), numbers)| (*family, eni, numbers.len()))
    }

    /// The promised addresses were not needed.
    pub fn give_back(&mut self, addresses: &[IpAddr]) {
        for address in addresses {
            if let Some((vswitch, eni)) = self.promised.remove(&number(*address)) {
                self.warm_mut(vswitch, Family::of(*address), eni)
                    .insert(number(*address));
            }
        }
    }

    /// Warm addresses of a vSwitch and family that are not promised.
    pub fn warm(&self, vswitch: VSwitchId, family: Family) -> usize {
        let rows = self.of(vswitch).filter(|(of, ..)| *of == family);
        rows.map(|(.., count)| count).sum()
    }

    /// How many sets to ask a vSwitch for, so that the warm target is reached; 0 while at least half of it is there or under way.
    pub fn wanted(&self, vswitch: VSwitchId, families: Families) -> u32 {
        let target = self.node.warm_target;
        let warm = families
            .iter()
            .map(|family| self.warm(vswitch, family))
            .min()
            .unwrap_or(0);
        let asked = self.asked.get(&vswitch).copied().unwrap_or(0);
        let have = u32::try_from(warm)
            .unwrap_or(u32::MAX)
            .saturating_add(asked);
        match have < target.div_ceil(LOW_PART) && !self.recovering {
            true => (target - have).min(self.room(families)),
            false => 0,
        }
    }

    /// So many sets were asked for.
    pub fn asked(&mut self, vswitch: VSwitchId, count: u32) {
        *self.asked.entry(vswitch).or_default() += count;
    }

    /// So many sets that were asked for have come, or will not come.
    pub fn answered(&mut self, vswitch: VSwitchId, count: u32) {
        let asked = self.asked.entry(vswitch).or_default();
        *asked = asked.saturating_sub(count);
    }

    /// How many more addresses of each of the families fit on the node's ENIs; without ENIs there is no limit.
    pub fn room(&self, families: Families) -> u32 {
        let capacity = self
            .node
            .eni_slots
            .saturating_mul(self.node.addresses_per_eni);
        if capacity == 0 {
            return u32::MAX;
        }
        let used = |family: Family| self.enis.values().map(|load| load[family as usize]).sum();
        let left = families
            .iter()
            .map(|family| capacity.saturating_sub(used(family)));
        left.min().unwrap_or(0)
    }

    /// Where one more address of each of the families has room.
    pub fn slot(&self, families: Families) -> Slot {
        let Node {
            eni_slots,
            addresses_per_eni,
            ..
        } = *self.node;
        if eni_slots == 0 || addresses_per_eni == 0 {
            return Slot::NoEni;
        }
        let fullest = |load: &[u32; 2]| families.iter().map(|family| load[family as usize]).max();
        let has_room = |load: &[u32; 2]| fullest(load).is_some_and(|most| most < addresses_per_eni);
        let open = self.enis.iter().filter(|(_, load)| has_room(load));
        match open.max_by_key(|(_, load)| fullest(load)) {
            Some((eni, _)) => Slot::On(eni.clone()),
            None if (self.enis.len() as u64) < u64::from(eni_slots) => Slot::Attach,
            None => Slot::Full,
        }
    }
}

#[cfg(test)]
mod tests;
