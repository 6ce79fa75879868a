//! Mends one thing that a check found wrong; refused where it is not wrong, or not any more.

use super::delete_claim::cool;
use super::ending::{self, Ending};
use super::{Context, Decided, Decision};
use crate::command::Repair;
use crate::id::{AttachmentKey, ClaimId, Generation, NodeId};
use crate::outcome::{Outcome, Refusal};
use crate::row::{Change, ClaimState, Policy};
use std::net::IpAddr;

pub(super) fn decide(context: &Context, command: &Repair) -> Decided {
    let changes = match command {
        Repair::EndAllocation { key, generation } => end_allocation(context, key, *generation),
        Repair::FreeAddress { address } => free_address(context, *address),
        Repair::EndClaim { claim, generation } => end_claim(context, *claim, *generation),
    }?;
    Ok(Decision {
        changes,
        outcome: Outcome::Done,
    })
}

fn sound(what: &'static str, name: impl ToString, reason: impl Into<String>) -> Refusal {
    let (name, reason) = (name.to_string(), reason.into());
    Refusal::NotBroken { what, name, reason }
}

fn end_allocation(
    context: &Context,
    key: &AttachmentKey,
    generation: Generation,
) -> Result<Vec<Change>, Refusal> {
    let found = context.ledger.allocation(key);
    let Some(row) = found.filter(|row| row.generation == generation) else {
        return Err(sound("allocation", key, "that bind is not there any more"));
    };
    if let Some(node) = context.ledger.node(row.node) {
        let reason = format!("its node {} is there", node.name);
        return Err(sound("allocation", key, reason));
    }
    let mut changes = Vec::new();
    let ending = Ending {
        node_gone: true,
        ..Ending::default()
    };
    ending::end(context, &mut changes, row, ending);
    changes.push(ending::row_removed(row));
    Ok(changes)
}

fn free_address(context: &Context, address: IpAddr) -> Result<Vec<Change>, Refusal> {
    let Some(why) = crate::repair::for_nobody(context.ledger, address) else {
        let reason = "what it stands for is there";
        return Err(sound("address", address, reason));
    };
    let vswitch = context.ledger.vswitch_containing(address);
    let vswitch = vswitch.ok_or_else(|| sound("address", address, why))?.id;
    let before = context.ledger.address_state(address);
    let after = ending::cooling(context, vswitch, NodeId(0), None);
    Ok(vec![Change::address(vswitch, address, before, Some(after))])
}

fn end_claim(
    context: &Context,
    id: ClaimId,
    generation: Generation,
) -> Result<Vec<Change>, Refusal> {
    let Some(claim) = context.ledger.claim(id) else {
        return Err(sound("claim", id, "it is not there any more"));
    };
    let name = &claim.name;
    if claim.policy != Policy::Delete {
        return Err(sound("claim", name, "it does not end with its pod"));
    }
    if claim.generation != generation || matches!(claim.state, ClaimState::Bound { .. }) {
        return Err(sound("claim", name, "it was bound since"));
    }
    let mut changes = Vec::new();
    cool(context, &mut changes, claim);
    changes.push(ending::removed(claim));
    Ok(changes)
}

#[cfg(test)]
mod tests;
