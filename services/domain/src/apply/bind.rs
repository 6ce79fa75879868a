//! The ADD: an attachment gets addresses, both families or none, dynamic or its claim's.

pub(super) mod addresses;
mod claim;
mod earlier;

use super::ending::{self, Ending};
use super::{Context, Decided, Decision, given, invalid, recovering};
use crate::command::{Bind, BindClaim};
use crate::id::{AttachmentKey, ClaimName, Generation};
use crate::ledger::nodes;
use crate::outcome::{Outcome, Refusal};
use crate::row::{Allocation, Change};
use claim::Wanted;
use earlier::Earlier;
use std::sync::Arc;

/// Nothing while a recovery is open, also nothing that is bound: what the restored ledger has bound may have ended after the
/// backup, and its address may be another's. Only the nodes know, and they say it before the recovery closes.
///
/// Order of the checks: an earlier bind or DEL of the same key, node and vSwitch, an earlier sandbox of the same pod,
/// the claim, the addresses, the node's room.
pub(super) fn decide(context: &Context, command: &Bind) -> Decided {
    recovering::none_open(context)?;
    let mut ended = match earlier::of_key(context, command)? {
        Earlier::Repeat(allocation) => {
            check_alone(context, &allocation)?;
            return Ok(repeated(command, allocation));
        }
        Earlier::Ended(allocation) => vec![allocation],
        Earlier::None => Vec::new(),
    };
    let node = context.node(command.node)?;
    let vswitch = &context.vswitch(command.vswitch)?.row;
    given::families_complete(vswitch, &command.addresses)?;
    check_static(node, command)?;
    earlier::of_pod(context, command, &mut ended)?;
    let wanted = claim::wanted(context, command, &mut ended)?;
    let places = addresses::check(context, command, vswitch, &wanted)?;
    addresses::check_room(command, node, &places, &ended)?;

    let allocation = Arc::new(allocation(context, command, &wanted, &ended));
    let mut changes = Vec::with_capacity(4);
    let replaced = ended.iter().find(|before| before.key == allocation.key);
    changes.push(Change::Allocation {
        key: allocation.key.clone(),
        before: replaced.cloned(),
        after: Some(allocation.clone()),
    });
    addresses::bind(&mut changes, &allocation, places);
    changes.extend(claim::bind(context, &allocation, &wanted));
    for before in &ended {
        end(context, command, &mut changes, before);
    }
    Ok(Decision {
        changes,
        outcome: Outcome::Bound {
            allocation,
            created: true,
        },
    })
}

/// A claim's address would have to move with its pod from ENI to ENI, and no command does that yet.
fn check_static(node: &nodes::Entry, command: &Bind) -> Result<(), Refusal> {
    match node.row.pool.is_some() && command.claim != BindClaim::None {
        false => Ok(()),
        true => Err(invalid(
            "claim",
            format!(
                "node {} gives addresses of ENIs, and those cannot be static yet: run the pod on a node without a pool",
                node.row.name
            ),
        )),
    }
}

/// What was bound before a restore may have become another's in between, which its node has said.
fn check_alone(context: &Context, bound: &Allocation) -> Result<(), Refusal> {
    match recovering::other_user(context, &bound.addresses, Some(&bound.key)) {
        None => Ok(()),
        Some(holder) => Err(Refusal::HeldByLiveHolder {
            claim: ClaimName {
                cluster: bound.key.cluster.clone(),
                namespace: bound.pod.namespace.clone(),
                pod: bound.pod.name.clone(),
            },
            holder,
            settled_at_ms: None,
        }),
    }
}

/// What the first made. If the runtime asked anew, and not the shim's own retry, a DEL from before that is too late.
fn repeated(command: &Bind, bound: Arc<Allocation>) -> Decision {
    let (allocation, changes) = match command.invoked_at_ms > bound.invoked_at_ms {
        false => (bound, Vec::new()),
        true => {
            let later = Arc::new(Allocation {
                invoked_at_ms: command.invoked_at_ms,
                ..(*bound).clone()
            });
            let change = Change::Allocation {
                key: bound.key.clone(),
                before: Some(bound),
                after: Some(later.clone()),
            };
            (later, vec![change])
        }
    };
    Decision {
        changes,
        outcome: Outcome::Bound {
            allocation,
            created: false,
        },
    }
}

fn allocation(
    context: &Context,
    command: &Bind,
    wanted: &Wanted,
    ended: &[Arc<Allocation>],
) -> Allocation {
    let known = ended
        .iter()
        .map(|before| &before.key)
        .find(|key| ***key == command.key);
    let key: Arc<AttachmentKey> = known
        .cloned()
        .unwrap_or_else(|| Arc::new(command.key.clone()));
    Allocation {
        key,
        generation: Generation(context.revision.0),
        node: command.node,
        boot: command.boot.clone(),
        invoked_at_ms: command.invoked_at_ms,
        pod: command.pod.clone(),
        vswitch: command.vswitch,
        eni: command.eni.clone(),
        addresses: command.addresses.clone(),
        claim: wanted.id(context),
        parameters: command.parameters,
        bound_at_ms: context.now_ms,
        bound_wall_ms: context.wall_ms,
    }
}

/// Ends an allocation that this bind takes the place of.
fn end(context: &Context, command: &Bind, changes: &mut Vec<Change>, before: &Arc<Allocation>) {
    let ending = Ending {
        kept: &command.addresses,
        ..Ending::default()
    };
    ending::end(context, changes, before, ending);
    if *before.key != command.key {
        changes.push(ending::row_removed(before));
        // Its ADD, if it is still under way, comes too late.
        changes.push(ending::tombstone(
            context,
            &before.key,
            &command.boot,
            command.invoked_at_ms,
        ));
    }
}

#[cfg(test)]
mod tests;
