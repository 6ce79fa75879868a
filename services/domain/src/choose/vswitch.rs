//! The addresses of one vSwitch as its actor sees them: what to give out next, and where to take some back.

mod family;
mod forecast;

use super::{AddressSet, Families};
use crate::address::{Family, address, number};
use crate::id::{NodeId, VSwitchId};
use crate::ledger::{Counts, Ledger};
use crate::row::{Change, Phase, Recovery, VSwitch};
use family::FamilyPool;
use forecast::Forecast;
use std::net::IpAddr;
use std::sync::Arc;

/// See the module. Built from a ledger, then kept in step with every applied change.
#[derive(Clone, Debug)]
pub struct VSwitchPool {
    vswitch: Arc<VSwitch>,
    counts: Counts,
    families: [Option<FamilyPool>; 2],
    forecast: Forecast,
    /// A recovery is open: nothing is given out, and nothing taken back.
    recovery: Option<Arc<Recovery>>,
}

// === impl VSwitchPool ===

impl VSwitchPool {
    /// Of a vSwitch as the ledger has it; none if it has not.
    pub fn new(ledger: &Ledger, id: VSwitchId) -> Option<Self> {
        let vswitch = ledger.vswitch(id)?.clone();
        let pool = |family: Family| {
            let span = vswitch.subnet(family)?.span();
            Some(FamilyPool::new(span, &vswitch))
        };
        let mut families = Family::ALL.map(pool);
        for (address, state) in ledger.addresses(id) {
            if let Some(pool) = &mut families[Family::of(address) as usize] {
                pool.pass(number(address), None, Some(&state));
            }
        }
        let counts = ledger.vswitches.get(id)?.counts;
        let forecast = Forecast::default();
        Some(Self {
            vswitch,
            counts,
            families,
            forecast,
            recovery: ledger.recoveries.open().cloned(),
        })
    }

    /// The vSwitch's row.
    pub fn vswitch(&self) -> &Arc<VSwitch> {
        &self.vswitch
    }

    /// Every state counted, as of the last change observed.
    pub fn counts(&self) -> Counts {
        match self.recovery {
            Some(_) => self.counts.quarantined(),
            None => self.counts,
        }
    }

    /// The recovery that is open: nothing can be had, whatever there is.
    pub fn recovery(&self) -> Option<&Recovery> {
        self.recovery.as_deref()
    }

    fn family(&self, family: Family) -> Option<&FamilyPool> {
        self.families[family as usize].as_ref()
    }

    fn family_mut(&mut self, family: Family) -> Option<&mut FamilyPool> {
        self.families[family as usize].as_mut()
    }

    /// Takes an applied change in; one of another vSwitch does nothing. A promise ends when its address is seen in use.
    pub fn observe(&mut self, change: &Change) {
        match change {
            Change::Recovery { after, .. } => {
                self.recovery = after.clone().filter(|row| row.is_open());
            }
            Change::OwedReport { node, after, .. } => {
                if let Some(row) = self.recovery.as_mut().map(Arc::make_mut) {
                    row.owe(*node, *after);
                }
            }
            _ => {}
        }
        let Change::Address {
            vswitch,
            address,
            before,
            after,
        } = change
        else {
            return;
        };
        if *vswitch != self.vswitch.id {
            return;
        }
        let family = Family::of(*address);
        if let Some(counts) = self.counts.family_mut(family) {
            counts.pass(Phase::of(before.as_ref()), Phase::of(after.as_ref()));
        }
        if let Some(pool) = self.family_mut(family) {
            pool.pass(number(*address), before.as_ref(), after.as_ref());
        }
    }

    /// Chooses and promises up to `count` sets with an address of each family: never-used ones first, then those
    /// that are free longest. Fewer come back if there are no more. `now_ms` is any steady clock's, for the forecast.
    pub fn take(&mut self, count: u32, families: Families, now_ms: u64) -> Vec<AddressSet> {
        let mut sets = Vec::new();
        while self.recovery.is_none()
            && sets.len() < count as usize
            && let Some(set) = self.take_one(families)
        {
            sets.push(set);
        }
        self.forecast.took(now_ms, sets.len() as u64);
        sets
    }

    fn take_one(&mut self, families: Families) -> Option<AddressSet> {
        let mut set = AddressSet::with_capacity(2);
        for family in families.iter() {
            match self.family_mut(family).and_then(FamilyPool::take) {
                Some(number) => set.push(address(number)),
                None => {
                    self.give_back(&set);
                    return None;
                }
            }
        }
        (!set.is_empty()).then_some(set)
    }

    /// Promises a specific address. False if it is not free, or promised to somebody else.
    pub fn promise(&mut self, address: IpAddr) -> bool {
        if self.recovery.is_some() {
            return false;
        }
        let pool = self.family_mut(Family::of(address));
        pool.is_some_and(|pool| pool.promise(number(address)))
    }

    /// The promises were kept by a command that took effect: [`Self::observe`] shows, or has shown, what became of them.
    pub fn settle(&mut self, addresses: &[IpAddr]) {
        for address in addresses {
            if let Some(pool) = self.family_mut(Family::of(*address)) {
                pool.settle(number(*address));
            }
        }
    }

    /// The promises were not needed: the addresses can be chosen again, unless they were seen in use meanwhile.
    pub fn give_back(&mut self, addresses: &[IpAddr]) {
        for address in addresses {
            if let Some(pool) = self.family_mut(Family::of(*address)) {
                pool.give_back(number(*address));
            }
        }
    }

    /// Free ones that are not promised.
    pub fn available(&self, family: Family) -> u128 {
        let counts = self.counts();
        let free = counts.family(family).map_or(0, |counts| counts.free);
        let promised = self.family(family).map_or(0, FamilyPool::promised);
        free.saturating_sub(promised as u128)
    }

    /// Complete sets that can be taken now.
    pub fn available_sets(&self, families: Families) -> u128 {
        families
            .iter()
            .map(|family| self.available(family))
            .min()
            .unwrap_or(0)
    }

    /// Warm addresses to take back, from the node that has most, then the next; at most `count` of a family.
    /// They are not named again before they are seen elsewhere, or [`Self::keep`] is said.
    pub fn reclaim(&mut self, count: u32, family: Family) -> Vec<(NodeId, Vec<IpAddr>)> {
        let recovering = self.recovery.is_some();
        let pool = self.family_mut(family).filter(|_| !recovering);
        let taken = pool
            .map(|pool| pool.reclaim(count as usize))
            .unwrap_or_default();
        let addresses = |numbers: Vec<u128>| numbers.into_iter().map(address).collect();
        taken
            .into_iter()
            .map(|(node, numbers)| (node, addresses(numbers)))
            .collect()
    }

    /// The node keeps these after all: the ledger refused to take them back.
    pub fn keep(&mut self, addresses: &[IpAddr]) {
        for address in addresses {
            if let Some(pool) = self.family_mut(Family::of(*address)) {
                pool.keep(number(*address));
            }
        }
    }

    /// How many are warm on a node.
    pub fn idle(&self, node: NodeId, family: Family) -> usize {
        self.family(family).map_or(0, |pool| pool.idle(node))
    }

    /// When the first cooling address of a family is due, ms of ledger time.
    pub fn next_cooling_due_ms(&self, family: Family) -> Option<u64> {
        self.family(family)?.next_cooling_due_ms()
    }

    /// In how many ms from `now_ms` the scarcest family is used up at the rate of the last takes; none = not in sight.
    pub fn exhausted_in_ms(&self, now_ms: u64) -> Option<u64> {
        let families = Families::of(&self.vswitch);
        self.forecast
            .exhausted_in_ms(self.available_sets(families), now_ms)
    }
}

#[cfg(test)]
mod tests;
