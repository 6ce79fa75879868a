//! A new claim: free addresses, one per family, are kept for one pod's name.

use super::{Context, Decided, Decision, given, invalid, recovering};
use crate::command::CreateClaim;
use crate::id::{ClaimId, ClaimName, Generation};
use crate::outcome::{Outcome, Refusal};
use crate::row::{AddressState, Change, Claim, ClaimState, Phase};
use std::sync::Arc;

pub(super) fn decide(context: &Context, command: &CreateClaim) -> Decided {
    let ledger = context.ledger;
    check_name(context, &command.name)?;
    let vswitch = &context.vswitch(command.vswitch)?.row;
    given::families_complete(vswitch, &command.addresses)?;
    let id = ClaimId(context.revision.0);
    let mut changes = Vec::with_capacity(1 + command.addresses.len());
    for address in &command.addresses {
        given::in_range(vswitch, *address)?;
        if !matches!(ledger.phase(*address), Phase::NeverUsed | Phase::Free) {
            return Err(
                given::in_use(ledger, *address).unwrap_or(Refusal::Taken { address: *address })
            );
        }
        recovering::none_open(context)?;
        let before = ledger.address_state(*address);
        let after = Some(AddressState::Held { claim: id });
        changes.push(Change::address(vswitch.id, *address, before, after));
    }
    let after = Claim {
        id,
        name: command.name.clone(),
        vswitch: vswitch.id,
        addresses: command.addresses.clone(),
        policy: command.policy,
        // A TTL counts from the last holder; before the first it does not run.
        state: ClaimState::Held {
            since_ms: context.now_ms,
            settled_at_ms: context.now_ms,
            release_at_ms: None,
        },
        generation: Generation(context.revision.0),
    };
    changes.push(Change::Claim {
        id,
        before: None,
        after: Some(Arc::new(after)),
    });
    let addresses = command.addresses.clone();
    Ok(Decision {
        changes,
        outcome: Outcome::Claim { id, addresses },
    })
}

/// A claim is for a pod's name, and there is one per name.
pub(super) fn check_name(context: &Context, name: &ClaimName) -> Result<(), Refusal> {
    if name.pod.as_str().is_empty() {
        return Err(invalid(
            "claim.pod",
            "is empty: a claim is for a pod's name",
        ));
    }
    match context.ledger.claim_named(name) {
        Some(_) => Err(Refusal::AlreadyExists {
            what: "claim",
            name: name.to_string(),
        }),
        None => Ok(()),
    }
}
