//! Ends a claim; its addresses cool. With a live holder only on an audited word.

use super::ending::{self, Ending};
use super::{Context, Decided, Decision, recovering};
use crate::command::DeleteClaim;
use crate::id::AttachmentKey;
use crate::outcome::{Outcome, Refusal};
use crate::row::{Change, Claim, ClaimState};
use std::sync::Arc;

pub(super) fn decide(context: &Context, command: &DeleteClaim) -> Decided {
    let Some(claim) = context.ledger.claim(command.claim) else {
        let name = command.claim.to_string();
        return Err(Refusal::NotFound {
            what: "claim",
            name,
        });
    };
    let mut changes = Vec::new();
    match &claim.state {
        ClaimState::Held { .. } => cool(context, &mut changes, claim),
        ClaimState::Bound { key, .. } if command.override_holder && !command.policy_fired => {
            end_holder(context, &mut changes, key);
        }
        ClaimState::Bound { key, .. } => {
            let name = claim.name.to_string();
            let by = format!(
                "sandbox {key}; if that is gone for sure, delete the claim with --override-holder"
            );
            return Err(Refusal::InUse {
                what: "claim",
                name,
                by,
            });
        }
    }
    changes.push(ending::removed(claim));
    Ok(Decision {
        changes,
        outcome: Outcome::Done,
    })
}

/// The addresses of a claim that ends without a holder.
pub(super) fn cool(context: &Context, changes: &mut Vec<Change>, claim: &Claim) {
    for address in &claim.addresses {
        let before = context.ledger.address_state(*address);
        let after = ending::cooling(context, claim.vswitch, crate::id::NodeId(0), None);
        let after = recovering::unless_contested(context, *address, after);
        changes.push(Change::address(
            claim.vswitch,
            *address,
            before,
            Some(after),
        ));
    }
}

/// The holder loses the address. Its ADD, if it comes once more, is one of before.
fn end_holder(context: &Context, changes: &mut Vec<Change>, key: &Arc<AttachmentKey>) {
    let Some(holder) = context.ledger.allocation(key) else {
        return;
    };
    let dynamic = Arc::new(crate::row::Allocation {
        claim: None,
        ..(**holder).clone()
    });
    ending::end(context, changes, &dynamic, Ending::default());
    changes.push(ending::row_removed(holder));
    changes.push(ending::tombstone(
        context,
        key,
        &holder.boot,
        holder.invoked_at_ms,
    ));
}
