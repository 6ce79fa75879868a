//! Who holds what: A1, A4, A8.

use super::{Violation, violation};
use crate::id::AttachmentKey;
use crate::ledger::Ledger;
use crate::row::{AddressState, Allocation};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

fn allocations(ledger: &Ledger) -> impl Iterator<Item = &Allocation> {
    let rows = ledger.attachments.iter();
    rows.filter_map(|(_, row)| row.allocation().map(|allocation| &**allocation))
}

/// A1: each address of each allocation is bound to it and to nothing else.
pub(super) fn one_holder(ledger: &Ledger) -> Result<(), Violation> {
    let mut holders: BTreeMap<IpAddr, &AttachmentKey> = BTreeMap::new();
    for allocation in allocations(ledger) {
        for address in &allocation.addresses {
            if let Some(other) = holders.insert(*address, &allocation.key) {
                return violation(
                    "A1",
                    format!("{address} is of {other} and of {}", allocation.key),
                );
            }
            match ledger.address_state(*address) {
                Some(AddressState::Bound {
                    key,
                    generation,
                    node,
                }) if (&key, generation, node)
                    == (&allocation.key, allocation.generation, allocation.node) => {}
                other => {
                    let key = &allocation.key;
                    return violation("A1", format!("{key} has {address}, which is {other:?}"));
                }
            }
        }
    }
    Ok(())
}

/// A4: one allocation per key and per generation, found under its key, its pod and its node.
pub(super) fn one_allocation(ledger: &Ledger) -> Result<(), Violation> {
    let mut keys = BTreeSet::new();
    let mut generations = BTreeSet::new();
    for allocation in allocations(ledger) {
        let Allocation {
            key,
            generation,
            node,
            pod,
            ..
        } = allocation;
        if !keys.insert(key.clone()) {
            return violation("A4", format!("{key} has two allocations"));
        }
        if !generations.insert(*generation) {
            return violation(
                "A4",
                format!("generation {generation} is of two allocations"),
            );
        }
        let same = |row: &Allocation| row.generation == *generation;
        let of_pod = ledger
            .attachments
            .of_pod(&key.cluster, &pod.namespace, &pod.name);
        let on_node = ledger
            .nodes
            .get(*node)
            .is_some_and(|entry| entry.allocations.get(generation).is_some());
        let found = ledger.allocation(key).is_some_and(|row| same(row))
            && (pod.name.as_str().is_empty() || of_pod.into_iter().any(|row| same(row)))
            && on_node;
        if !found {
            return violation(
                "A4",
                format!("{key} is not found under its key, pod and node"),
            );
        }
    }
    let listed: usize = ledger
        .nodes()
        .map(|node| ledger.node_allocations(node.id).count())
        .sum();
    match listed == keys.len() && ledger.allocations_len() == keys.len() {
        true => Ok(()),
        false => violation(
            "A4",
            format!("nodes list {listed} allocations, there are {}", keys.len()),
        ),
    }
}

/// A8: what lives was invoked after the DEL that is remembered of the same boot.
pub(super) fn none_before_its_tombstone(ledger: &Ledger) -> Result<(), Violation> {
    for allocation in allocations(ledger) {
        if let Some(tombstone) = ledger.tombstone(&allocation.key)
            && tombstone.boot == allocation.boot
            && allocation.invoked_at_ms <= tombstone.invoked_at_ms
        {
            return violation(
                "A8",
                format!("{} lives, and was deleted later", allocation.key),
            );
        }
    }
    Ok(())
}
