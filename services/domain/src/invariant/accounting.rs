//! Counting: A9, A13, A15.

use super::{Violation, violation};
use crate::address::{Family, address};
use crate::id::NodeId;
use crate::ledger::addresses::Place;
use crate::ledger::vswitches::fresh;
use crate::ledger::{Counts, Ledger, NodeUsage};
use crate::row::{AddressState, Phase};
use std::collections::BTreeMap;

/// A9: a full recount of vSwitches and nodes gives the counters, and the states add up to the size.
pub(super) fn conserved(ledger: &Ledger) -> Result<(), Violation> {
    let mut rows = 0;
    for vswitch in ledger.vswitches() {
        let mut recounted = fresh(vswitch);
        for subnet in vswitch.subnets() {
            for (number, place) in ledger.addresses.span(subnet.span()) {
                rows += 1;
                if let Some(counts) = recounted.family_mut(Family::of(address(number))) {
                    counts.pass(Phase::NeverUsed, place.phase());
                }
            }
        }
        let entry = ledger.vswitches.get(vswitch.id);
        let counts = entry.map(|entry| entry.counts).unwrap_or_default();
        let shown = ledger.counts(vswitch.id).unwrap_or_default();
        let sums = |counts: &Counts| counts.families().all(|(_, family)| family.conserved());
        if !sums(&counts) || !sums(&shown) || counts != recounted {
            let name = &vswitch.name;
            return violation(
                "A9",
                format!("vSwitch {name} counts {counts}; a recount gives {recounted}"),
            );
        }
    }
    if rows != ledger.sizes().addresses {
        return violation(
            "A9",
            format!(
                "{} address rows, {rows} of them in vSwitches",
                ledger.sizes().addresses
            ),
        );
    }
    nodes_conserved(ledger)
}

fn nodes_conserved(ledger: &Ledger) -> Result<(), Violation> {
    let mut recounted: BTreeMap<NodeId, NodeUsage> = BTreeMap::new();
    for (number, place) in ledger.addresses.span((0, u128::MAX)) {
        let Some(node) = place.node() else { continue };
        let usage = recounted.entry(node).or_default();
        let standing = &mut usage.families[Family::of(address(number)) as usize];
        match place.phase() {
            Phase::Bound => standing.bound += 1,
            Phase::Idle => standing.idle += 1,
            Phase::Cooling => standing.cooling += 1,
            _ => standing.in_transit += 1,
        }
    }
    for node in ledger.nodes() {
        let mut usage = recounted.remove(&node.id).unwrap_or_default();
        usage.allocations = ledger.node_allocations(node.id).count() as u32;
        if ledger.usage(node.id) != Some(&usage) {
            let counted = ledger.usage(node.id);
            return violation(
                "A9",
                format!(
                    "node {} counts {counted:?}; a recount gives {usage:?}",
                    node.name
                ),
            );
        }
    }
    match recounted.keys().next() {
        Some(node) => violation(
            "A9",
            format!("addresses stand on node {node}, which is not there"),
        ),
        None => Ok(()),
    }
}

/// A13: a bound address has its allocation, a warm one its node, a held one its claim, a quarantined or disputed one a
/// stray that uses it, a cooling one its place in the queue of what is due; a claim with a time has its place there too.
pub(super) fn nothing_leaks(ledger: &Ledger) -> Result<(), Violation> {
    let queued: BTreeMap<u128, u64> = ledger
        .addresses
        .cooling()
        .map(|(at, number)| (number, at))
        .collect();
    for (number, place) in ledger.addresses.span((0, u128::MAX)) {
        let kept = match ledger.state_of(place) {
            Some(AddressState::Bound { key, .. }) => ledger
                .allocation(&key)
                .is_some_and(|row| row.addresses.contains(&address(number))),
            Some(AddressState::Idle { node, .. }) => ledger.node(node).is_some(),
            Some(AddressState::Held { claim }) => ledger.claim(claim).is_some(),
            Some(AddressState::Disputed { claim }) => {
                ledger.claim(claim).is_some() && ledger.is_contested(address(number))
            }
            Some(AddressState::Quarantined { .. }) => ledger.is_contested(address(number)),
            Some(AddressState::Cooling { until_ms, .. }) => queued.get(&number) == Some(&until_ms),
            Some(_) => true,
            None => false,
        };
        if !kept {
            return violation(
                "A13",
                format!("{} is {} for nobody", address(number), place.phase().name()),
            );
        }
    }
    let cooling = |(_, place): &(u128, &Place)| place.phase() == Phase::Cooling;
    let cooling = ledger
        .addresses
        .span((0, u128::MAX))
        .filter(cooling)
        .count();
    match cooling == queued.len() {
        true => Ok(()),
        false => violation(
            "A13",
            format!("{} are queued to be freed, {cooling} cool", queued.len()),
        ),
    }
}

/// A15: while a recovery is open nothing is free; else the free count is the size less everything that has a row of another state, or is excluded.
pub(super) fn free_is_free(ledger: &Ledger) -> Result<(), Violation> {
    for vswitch in ledger.vswitches() {
        for subnet in vswitch.subnets() {
            let taken = ledger.addresses.span(subnet.span());
            let taken = taken
                .filter(|(_, place)| place.phase() != Phase::Free)
                .count();
            let counts = fresh(vswitch);
            let usable = counts
                .family(subnet.family())
                .map_or(0, |counts| counts.free);
            let shown = ledger.counts(vswitch.id).unwrap_or_default();
            let free = shown
                .family(subnet.family())
                .map_or(0, |counts| counts.free);
            let right = match ledger.is_recovering() {
                true => 0,
                false => usable.saturating_sub(taken as u128),
            };
            if free != right {
                let what = format!(
                    "{} counts {free} free, {taken} of {usable} are taken",
                    subnet.cidr
                );
                return violation("A15", what);
            }
        }
    }
    Ok(())
}
