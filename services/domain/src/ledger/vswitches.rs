//! vSwitches by id, by name and by the address in them, each with its counts.

use super::counts::{Counts, FamilyCounts};
use super::sorted::Sorted;
use crate::address::{AddressRange, Family, Subnet};
use crate::id::{VSwitchId, VSwitchName};
use crate::row::{Phase, VSwitch};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Entries are pointers to more; short chunks keep the copy of one cheap.
const CHUNK: usize = 32;

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) row: Arc<VSwitch>,
    pub(crate) counts: Counts,
}

/// All vSwitches.
#[derive(Clone, Debug, Default)]
pub(crate) struct VSwitches {
    rows: Sorted<VSwitchId, Arc<Entry>, CHUNK>,
    by_name: Arc<BTreeMap<VSwitchName, VSwitchId>>,
    /// First number of a subnet → its last, whose it is.
    spans: Arc<BTreeMap<u128, (u128, VSwitchId)>>,
}

/// The counts of a vSwitch nobody has used.
pub(crate) fn fresh(row: &VSwitch) -> Counts {
    let count = |subnet: &Subnet| {
        let inside = |range: &&AddressRange| subnet.contains(range.first);
        let excluded = row
            .excluded
            .iter()
            .filter(inside)
            .map(AddressRange::size)
            .sum();
        FamilyCounts::new(subnet.size(), excluded)
    };
    Counts {
        ipv4: row.ipv4.as_ref().map(count),
        ipv6: row.ipv6.as_ref().map(count),
    }
}

// === impl VSwitches ===

impl VSwitches {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn get(&self, id: VSwitchId) -> Option<&Entry> {
        self.rows.get(&id).map(|entry| &**entry)
    }

    pub(crate) fn named(&self, name: &VSwitchName) -> Option<VSwitchId> {
        self.by_name.get(name).copied()
    }

    /// In the order of their making.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.rows.iter().map(|(_, entry)| &**entry)
    }

    /// The one whose subnet has this number.
    pub(crate) fn containing(&self, number: u128) -> Option<VSwitchId> {
        self.overlapping((number, number))
    }

    /// One whose subnet has some number of the span.
    pub(crate) fn overlapping(&self, (first, last): (u128, u128)) -> Option<VSwitchId> {
        let (_, (end, id)) = self.spans.range(..=last).next_back()?;
        (*end >= first).then_some(*id)
    }

    /// Makes a vSwitch known, or forgets it. Its counts are those of one nobody has used.
    pub(crate) fn set(&mut self, id: VSwitchId, after: Option<Arc<VSwitch>>) {
        if let Some(before) = self.get(id).map(|entry| entry.row.clone()) {
            Arc::make_mut(&mut self.by_name).remove(&before.name);
            let spans = Arc::make_mut(&mut self.spans);
            for subnet in before.subnets() {
                spans.remove(&subnet.span().0);
            }
        }
        let Some(row) = after else {
            self.rows.remove(&id);
            return;
        };
        Arc::make_mut(&mut self.by_name).insert(row.name.clone(), id);
        let spans = Arc::make_mut(&mut self.spans);
        for subnet in row.subnets() {
            let (first, last) = subnet.span();
            spans.insert(first, (last, id));
        }
        let counts = fresh(&row);
        self.rows.insert(id, Arc::new(Entry { row, counts }));
    }

    /// One address goes from one state to another.
    pub(crate) fn pass(&mut self, id: VSwitchId, family: Family, before: Phase, after: Phase) {
        let entry = self.rows.get_mut(&id).map(Arc::make_mut);
        if let Some(counts) = entry.and_then(|entry| entry.counts.family_mut(family)) {
            counts.pass(before, after);
        }
    }

    #[cfg(test)]
    pub(crate) fn counts_mut(&mut self, id: VSwitchId) -> Option<&mut Counts> {
        self.rows
            .get_mut(&id)
            .map(|entry| &mut Arc::make_mut(entry).counts)
    }
}

// === impl VSwitch ===

impl VSwitch {
    /// Its subnets, IPv4 first.
    pub fn subnets(&self) -> impl Iterator<Item = &Subnet> {
        self.ipv4.iter().chain(&self.ipv6)
    }

    /// Its families, IPv4 first.
    pub fn families(&self) -> impl Iterator<Item = Family> {
        self.subnets().map(Subnet::family)
    }

    /// The subnet of a family.
    pub fn subnet(&self, family: Family) -> Option<&Subnet> {
        match family {
            Family::V4 => self.ipv4.as_ref(),
            Family::V6 => self.ipv6.as_ref(),
        }
    }

    /// Whether the address lies in one of its subnets, excluded or not.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.subnets().any(|subnet| subnet.contains(address))
    }

    /// Whether the address is one that is never given out.
    pub fn excludes(&self, address: IpAddr) -> bool {
        let after = self
            .excluded
            .partition_point(|range| range.first <= address);
        after > 0 && self.excluded[after - 1].contains(address)
    }
}
