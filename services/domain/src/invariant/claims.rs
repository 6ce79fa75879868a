//! Claims: A3.

use super::{Violation, violation};
use crate::ledger::Ledger;
use crate::row::{AddressState, Allocation, Claim, ClaimState};
use std::collections::BTreeMap;

/// A3: a claim's addresses are held for it or bound to its own holder, no other allocation or claim names them.
pub(super) fn kept_for_their_own(ledger: &Ledger) -> Result<(), Violation> {
    let mut owners = BTreeMap::new();
    for claim in ledger.claims() {
        for address in &claim.addresses {
            if let Some(other) = owners.insert(*address, claim.id) {
                return violation(
                    "A3",
                    format!("{address} is of claim {other} and of {}", claim.id),
                );
            }
            let state = ledger.address_state(*address);
            if !state.is_some_and(|state| fits(claim, &state)) {
                return violation(
                    "A3",
                    format!("{address} of claim {} is not kept for it", claim.name),
                );
            }
        }
        if ledger.claim_named(&claim.name).map(|found| found.id) != Some(claim.id) {
            return violation(
                "A3",
                format!("claim {} is not found under its name", claim.name),
            );
        }
        if let ClaimState::Bound { key, .. } = &claim.state {
            let holder = ledger.allocation(key);
            if !holder.is_some_and(|holder| is_own(claim, holder)) {
                return violation(
                    "A3",
                    format!("claim {} is bound to {key}, not its own", claim.name),
                );
            }
        }
    }
    named_by_their_claims(ledger)
}

fn fits(claim: &Claim, state: &AddressState) -> bool {
    match (&claim.state, state) {
        (
            ClaimState::Held { .. },
            AddressState::Held { claim: by } | AddressState::Disputed { claim: by },
        ) => *by == claim.id,
        (
            ClaimState::Bound {
                key,
                generation,
                node,
            },
            AddressState::Bound {
                key: by,
                generation: of,
                node: at,
            },
        ) => (key, generation, node) == (by, of, at),
        _ => false,
    }
}

fn is_own(claim: &Claim, holder: &Allocation) -> bool {
    holder.claim == Some(claim.id)
        && holder.addresses == claim.addresses
        && holder.key.cluster == claim.name.cluster
        && holder.pod.namespace == claim.name.namespace
        && holder.pod.name == claim.name.pod
}

fn named_by_their_claims(ledger: &Ledger) -> Result<(), Violation> {
    for node in ledger.nodes() {
        for allocation in ledger.node_allocations(node.id) {
            let Some(id) = allocation.claim else { continue };
            let claim = ledger.claim(id).map(|claim| &claim.state);
            if !matches!(claim, Some(ClaimState::Bound { key, .. }) if *key == allocation.key) {
                return violation(
                    "A3",
                    format!("{} names claim {id}, which is not its own", allocation.key),
                );
            }
        }
    }
    for vswitch in ledger.vswitches() {
        for (address, state) in ledger.addresses(vswitch.id) {
            if let AddressState::Held { claim } | AddressState::Disputed { claim } = state
                && !ledger
                    .claim(claim)
                    .is_some_and(|claim| claim.addresses.contains(&address))
            {
                return violation(
                    "A3",
                    format!("{address} is held for claim {claim}, which has it not"),
                );
            }
        }
    }
    Ok(())
}
