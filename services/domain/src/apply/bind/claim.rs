//! Whether a bind is static, and whether the claim may have a new holder.

use crate::apply::{Context, create_claim, ending, invalid, recovering};
use crate::command::{Bind, BindClaim};
use crate::id::{AttachmentKey, ClaimId, ClaimName};
use crate::outcome::Refusal;
use crate::row::{Allocation, Change, Claim, ClaimState, Policy};
use std::sync::Arc;

/// Which claim's addresses are bound.
pub(super) enum Wanted {
    /// None's.
    Dynamic,
    /// This one's.
    Existing(Arc<Claim>),
    /// One that this command makes.
    New { name: ClaimName, policy: Policy },
}

// === impl Wanted ===

impl Wanted {
    pub(super) fn id(&self, context: &Context) -> Option<ClaimId> {
        match self {
            Self::Dynamic => None,
            Self::Existing(claim) => Some(claim.id),
            Self::New { .. } => Some(ClaimId(context.revision.0)),
        }
    }
}

/// The holders that are proven gone by this bind join `ended`.
pub(super) fn wanted(
    context: &Context,
    command: &Bind,
    ended: &mut Vec<Arc<Allocation>>,
) -> Result<Wanted, Refusal> {
    let own = ClaimName {
        cluster: command.key.cluster.clone(),
        namespace: command.pod.namespace.clone(),
        pod: command.pod.name.clone(),
    };
    let chosen_again = || Refusal::Taken {
        address: command.addresses[0],
    };
    match &command.claim {
        BindClaim::None => match context.ledger.claim_named(&own) {
            Some(_) => Err(chosen_again()),
            None => Ok(Wanted::Dynamic),
        },
        BindClaim::New { name, policy } => {
            check_identity(name, &own)?;
            create_claim::check_name(context, name).map_err(|refusal| match refusal {
                Refusal::AlreadyExists { .. } => chosen_again(),
                other => other,
            })?;
            Ok(Wanted::New {
                name: name.clone(),
                policy: *policy,
            })
        }
        BindClaim::Existing(id) => {
            let claim = context.ledger.claim(*id).ok_or_else(chosen_again)?;
            check_identity(&claim.name, &own)?;
            if claim.vswitch != command.vswitch || claim.addresses != command.addresses {
                return Err(chosen_again());
            }
            check_holder(context, command, claim, ended)?;
            Ok(Wanted::Existing(claim.clone()))
        }
    }
}

/// A static address goes to no other identity (A3).
fn check_identity(name: &ClaimName, own: &ClaimName) -> Result<(), Refusal> {
    if name == own {
        return Ok(());
    }
    Err(invalid(
        "claim",
        format!("is {name}'s; the sandbox is for {own}"),
    ))
}

/// A new holder needs proof that the old one is gone (design §6): a settled DEL, a newer sandbox of the same pod on the
/// same node, or a new boot of that node.
fn check_holder(
    context: &Context,
    command: &Bind,
    claim: &Claim,
    ended: &mut Vec<Arc<Allocation>>,
) -> Result<(), Refusal> {
    let held_by = |holder: String| Refusal::HeldByLiveHolder {
        claim: claim.name.clone(),
        holder,
        settled_at_ms: None,
    };
    if let Some(other) = recovering::other_user(context, &claim.addresses, None) {
        return Err(held_by(other));
    }
    let key: &Arc<AttachmentKey> = match &claim.state {
        ClaimState::Held { settled_at_ms, .. } if *settled_at_ms <= context.now_ms => return Ok(()),
        ClaimState::Held { settled_at_ms, .. } => {
            return Err(Refusal::HeldByLiveHolder {
                claim: claim.name.clone(),
                holder: "a sandbox whose link may still be there".into(),
                settled_at_ms: Some(*settled_at_ms),
            });
        }
        ClaimState::Bound { key, .. } => key,
    };
    if ended.iter().any(|before| before.key == *key) {
        return Ok(());
    }
    match context.ledger.allocation(key) {
        Some(holder) if holder.node == command.node && holder.boot != command.boot => {
            ended.push(holder.clone());
            Ok(())
        }
        holder => Err(held_by(described(
            context,
            key,
            holder.map(|holder| &**holder),
        ))),
    }
}

fn described(context: &Context, key: &AttachmentKey, holder: Option<&Allocation>) -> String {
    let node = holder.and_then(|holder| context.ledger.node(holder.node));
    match node {
        Some(node) => format!("sandbox {} on node {}", key.container, node.name),
        None => format!("sandbox {}", key.container),
    }
}

/// The claim's change: made, or bound to its new holder.
pub(super) fn bind(context: &Context, allocation: &Allocation, wanted: &Wanted) -> Option<Change> {
    let state = ClaimState::Bound {
        key: allocation.key.clone(),
        generation: allocation.generation,
        node: allocation.node,
    };
    match wanted {
        Wanted::Dynamic => None,
        Wanted::Existing(claim) => Some(ending::replaced(claim, state)),
        Wanted::New { name, policy } => {
            let id = ClaimId(context.revision.0);
            let claim = Claim {
                id,
                name: name.clone(),
                vswitch: allocation.vswitch,
                addresses: allocation.addresses.clone(),
                policy: *policy,
                state,
                generation: allocation.generation,
            };
            Some(Change::Claim {
                id,
                before: None,
                after: Some(Arc::new(claim)),
            })
        }
    }
}
