//! Whether the addresses chosen for a bind may be bound, and whether the node has room for them.

use super::claim::Wanted;
use crate::address::Family;
use crate::apply::{Context, given};
use crate::command::Bind;
use crate::id::{EniId, NodeId};
use crate::ledger::nodes;
use crate::outcome::Refusal;
use crate::row::{AddressState, Allocation, Change, VSwitch};
use std::net::IpAddr;
use std::sync::Arc;

/// What each address was before, in the order of the command.
pub(super) type Places = Vec<(IpAddr, Option<AddressState>)>;

/// Free ones, this node's warm ones, or the claim's; else the choice was stale.
pub(super) fn check(
    context: &Context,
    command: &Bind,
    vswitch: &VSwitch,
    wanted: &Wanted,
) -> Result<Places, Refusal> {
    let mut places = Vec::with_capacity(command.addresses.len());
    let of_the_cloud = is_ours(context, command.node, command.eni.as_ref());
    for address in command.addresses.iter().copied() {
        given::in_range(vswitch, address)?;
        let before = context.ledger.address_state(address);
        let fit = match (wanted, &before) {
            // The claim was checked, and its addresses are with it.
            (Wanted::Existing(claim), Some(AddressState::Held { claim: by })) => *by == claim.id,
            (Wanted::Existing(_), Some(AddressState::Bound { .. })) => true,
            (Wanted::Existing(_), _) => false,
            // Nobody uses an address before the cloud has confirmed that it is on the ENI.
            (_, None | Some(AddressState::Free { .. })) => !of_the_cloud,
            (_, Some(AddressState::Idle { node, eni })) => {
                *node == command.node && *eni == command.eni
            }
            _ => false,
        };
        if !fit {
            return Err(Refusal::Taken { address });
        }
        places.push((address, before));
    }
    Ok(places)
}

/// Whether an ENI is one that Berth has made: its addresses come and go by jobs.
/// On a node in a pool there are no others.
pub(in crate::apply) fn is_ours(context: &Context, node: NodeId, eni: Option<&EniId>) -> bool {
    let row = context.ledger.node(node);
    row.is_some_and(|row| row.pool.is_some())
        || eni.is_some_and(|id| context.ledger.eni_named(node, id).is_some())
}

/// Warm addresses and those of ended allocations stand on the node already.
pub(super) fn check_room(
    command: &Bind,
    node: &nodes::Entry,
    places: &Places,
    ended: &[Arc<Allocation>],
) -> Result<(), Refusal> {
    if node.row.eni_slots == 0 || node.row.addresses_per_eni == 0 {
        return Ok(());
    }
    let stands_here = |before: &Option<AddressState>| {
        matches!(before, Some(AddressState::Idle { node, .. } | AddressState::Bound { node, .. })
            if *node == command.node)
    };
    for (address, before) in places {
        let family = Family::of(*address);
        let leaves = |before: &&Arc<Allocation>| {
            let cools_here = before.eni.is_some() && before.claim.is_none();
            let of_family = before.addresses.iter().any(|at| Family::of(*at) == family);
            before.node == command.node
                && of_family
                && !cools_here
                && !before.addresses.contains(address)
        };
        let come = u32::from(!stands_here(before));
        given::room(
            node,
            family,
            come,
            ended.iter().filter(leaves).count() as u32,
        )?;
    }
    Ok(())
}

/// The changes that bind the addresses.
pub(super) fn bind(changes: &mut Vec<Change>, allocation: &Allocation, places: Places) {
    for (address, before) in places {
        let after = AddressState::Bound {
            node: allocation.node,
            key: allocation.key.clone(),
            generation: allocation.generation,
        };
        changes.push(Change::address(
            allocation.vswitch,
            address,
            before,
            Some(after),
        ));
    }
}
