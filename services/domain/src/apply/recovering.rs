//! What an open recovery forbids, how it closes, and what becomes of strays.

use super::Context;
use super::ending;
use crate::id::{AttachmentKey, ClaimName, NodeId, PodIdentity};
use crate::outcome::Refusal;
use crate::row::{AddressState, Change, Claim, ClaimState, Recovery, Stray};
use std::net::IpAddr;
use std::sync::Arc;

/// Refuses while a recovery is open: what counts as free may be in use.
pub(super) fn none_open(context: &Context) -> Result<(), Refusal> {
    match context.ledger.recoveries.open() {
        Some(recovery) => {
            Err(recovery.refusal(|node| context.ledger.node(node).map(|node| node.name.clone())))
        }
        None => Ok(()),
    }
}

/// The node has said its word. With the last one the recovery closes: what nobody named is what it was before, free or
/// never used, without a change of its own.
pub(super) fn settle(context: &Context, changes: &mut Vec<Change>, node: NodeId) {
    let Some(recovery) = context.ledger.recoveries.open() else {
        return;
    };
    if !recovery.waiting.contains(&node) {
        return;
    }
    changes.push(Change::OwedReport {
        node,
        before: true,
        after: false,
    });
    if recovery.waiting.len() > 1 {
        return;
    }
    let mut before = (**recovery).clone();
    before.waiting.clear();
    let after = Recovery {
        closed: Some(context.revision),
        ..before.clone()
    };
    changes.push(Change::Recovery {
        before: Some(Arc::new(before)),
        after: Some(Arc::new(after)),
    });
}

/// A node that comes while a recovery is open may have pods of the old cluster.
pub(super) fn owes(context: &Context, changes: &mut Vec<Change>, node: NodeId) {
    if context.ledger.recoveries.open().is_some() {
        changes.push(Change::OwedReport {
            node,
            before: false,
            after: true,
        });
    }
}

/// What becomes of an address that nobody is to have any more: somebody may live there all the same.
pub(super) fn unless_contested(
    context: &Context,
    address: IpAddr,
    state: AddressState,
) -> AddressState {
    match state {
        state if !context.ledger.is_contested(address) => state,
        AddressState::Held { claim } => AddressState::Disputed { claim },
        _ => AddressState::Quarantined {
            since: context.revision,
        },
    }
}

/// The strays end: with the last one of an address it rests, or is its claim's again.
pub(super) fn end_strays(
    context: &Context,
    changes: &mut Vec<Change>,
    strays: &[Arc<Stray>],
    settle_ms: u64,
) {
    let ends = |other: &Arc<Stray>| strays.iter().any(|stray| stray == other);
    let mut claims: Vec<Arc<Claim>> = Vec::new();
    let mut seen: Vec<IpAddr> = Vec::new();
    for stray in strays {
        changes.push(Change::Stray {
            node: stray.node,
            key: stray.key.clone(),
            before: Some(stray.clone()),
            after: None,
        });
        for address in &stray.addresses {
            let others = context
                .ledger
                .recoveries
                .at(*address)
                .any(|other| !ends(other));
            if !others && !seen.contains(address) {
                seen.push(*address);
                let claim = release(context, changes, *address);
                claims
                    .extend(claim.filter(|claim| claims.iter().all(|known| known.id != claim.id)));
            }
        }
    }
    for claim in claims {
        let own = strays.iter().any(|stray| {
            let uses = |at| stray.addresses.contains(at);
            claim.addresses.iter().any(uses) && is_own(&claim, &stray.key, &stray.pod)
        });
        changes.extend(settled(context, &claim, own, settle_ms));
    }
}

/// An address that no stray uses any more; the claim that it is kept for.
fn release(context: &Context, changes: &mut Vec<Change>, address: IpAddr) -> Option<Arc<Claim>> {
    let ledger = context.ledger;
    let vswitch = ledger.vswitch_containing(address)?.id;
    let so_far = changes.iter().rev().find_map(|change| match change {
        Change::Address {
            address: of, after, ..
        } if *of == address => Some(after.clone()),
        _ => None,
    });
    let before = so_far.unwrap_or_else(|| ledger.address_state(address))?;
    let (after, claim) = match &before {
        AddressState::Quarantined { .. } => {
            (ending::cooling(context, vswitch, NodeId(0), None), None)
        }
        AddressState::Disputed { claim } => (
            AddressState::Held { claim: *claim },
            ledger.claim(*claim).cloned(),
        ),
        _ => return None,
    };
    changes.push(Change::address(vswitch, address, Some(before), Some(after)));
    claim
}

/// Who used a claim's address beside the ledger is gone, and its link may outlive its DEL, as any holder's. If it was the
/// claim's `own` pod, the claim had a holder until now: its time begins anew.
pub(super) fn settled(
    context: &Context,
    claim: &Arc<Claim>,
    own: bool,
    settle_ms: u64,
) -> Option<Change> {
    let ClaimState::Held {
        since_ms,
        settled_at_ms: earlier_ms,
        release_at_ms,
    } = claim.state
    else {
        return None;
    };
    let mut state = ending::held(context, claim, settle_ms);
    if let ClaimState::Held {
        since_ms: since,
        settled_at_ms,
        release_at_ms: release,
    } = &mut state
    {
        *settled_at_ms = earlier_ms.max(*settled_at_ms);
        if !own {
            (*since, *release) = (since_ms, release_at_ms);
        }
    }
    (state != claim.state).then(|| ending::replaced(claim, state))
}

/// Whether a sandbox is of the pod that the claim is for.
pub(super) fn is_own(claim: &Claim, key: &AttachmentKey, pod: &PodIdentity) -> bool {
    let ClaimName {
        cluster,
        namespace,
        pod: name,
    } = &claim.name;
    (cluster, namespace, name) == (&key.cluster, &pod.namespace, &pod.name)
}

/// Who else lives at an address, in words.
pub(super) fn other_user(
    context: &Context,
    addresses: &[IpAddr],
    own: Option<&AttachmentKey>,
) -> Option<String> {
    let strays = addresses
        .iter()
        .flat_map(|at| context.ledger.recoveries.at(*at));
    let other = strays.into_iter().find(|stray| Some(&*stray.key) != own)?;
    let container = &other.key.container;
    Some(match context.ledger.node(other.node) {
        Some(node) => format!(
            "sandbox {container} on node {}, by that node's word",
            node.name
        ),
        None => format!("sandbox {container}, by its node's word"),
    })
}
