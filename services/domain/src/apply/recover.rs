//! The cluster begins anew out of what is known, which may be old: whatever is not bound or held may be in use.

use super::{Context, Decided, Decision, invalid};
use crate::command::Recover;
use crate::id::NodeId;
use crate::outcome::{Outcome, Refusal};
use crate::row::{AddressState, Change, Eni, EniState, Recovery, UNKNOWN_NODES};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Ids are revisions, and clients remember both. The old cluster may have gone on after what is known here: by no more
/// than this, which at ten thousand changes a second, day and night, takes three years. Whoever orders a recovery skips
/// more: `berthd restore` goes by the wall clock, so that two restores of one backup give different ids as well.
pub const JUMP_MIN: u64 = 1 << 40;

pub(super) fn decide(
    context: &Context,
    proposal: &crate::command::Proposal,
    command: &Recover,
) -> Decided {
    let ledger = context.ledger;
    check(context, command)?;
    let mut changes: Vec<Change> = Vec::new();
    let members = ledger.members().map(|member| Change::Member {
        id: member.id,
        before: Some(member.clone()),
        after: None,
    });
    changes.extend(members);
    forget_strays(context, &mut changes);
    forget_jobs(context, &mut changes);
    let mut waiting: BTreeSet<NodeId> = ledger.nodes().map(|node| node.id).collect();
    if command.unknown_nodes {
        waiting.insert(UNKNOWN_NODES);
    }
    let before = ledger.recovery().cloned();
    let after = Recovery {
        number: before
            .as_ref()
            .map_or(0, |row| row.number)
            .saturating_add(1),
        kind: command.kind,
        former: ledger.cluster().clone(),
        cluster: command.cluster.clone(),
        follows: ledger.revision(),
        began: context.revision,
        began_ms: context.now_ms,
        began_wall_ms: context.wall_ms,
        ordered_by: proposal.principal.clone(),
        reason: proposal.reason.clone(),
        closed: waiting.is_empty().then_some(context.revision),
        waiting,
    };
    changes.push(Change::Recovery {
        before,
        after: Some(Arc::new(after)),
    });
    Ok(Decision {
        changes,
        outcome: Outcome::Done,
    })
}

fn check(context: &Context, command: &Recover) -> Result<(), Refusal> {
    let jump = command.revision_jump;
    if command.cluster == *context.ledger.cluster() {
        let reason =
            "is the old one: what speaks for the old cluster must not be taken for this one";
        return Err(invalid("cluster", reason));
    }
    let reached = context.ledger.revision().0.checked_add(jump);
    // Half of all numbers stay for what comes after.
    if jump < JUMP_MIN || reached.is_none_or(|reached| reached > u64::MAX / 2) {
        return Err(invalid(
            "revision_jump",
            format!("is {jump}, at least {JUMP_MIN} is needed, and no more than there are numbers"),
        ));
    }
    Ok(())
}

/// What a job of the old cluster was about may have been done, undone and done again since: nothing is concluded from it, and
/// the cloud is looked at anew. ENIs that no job needs stay.
fn forget_jobs(context: &Context, changes: &mut Vec<Change>) {
    let free = AddressState::Free {
        since: context.revision,
    };
    for job in context.ledger.jobs() {
        for address in &job.addresses {
            let before = context.ledger.address_state(*address);
            let change = Change::address(job.vswitch, *address, before, Some(free.clone()));
            changes.push(change);
        }
        changes.push(Change::Job {
            id: job.id,
            before: Some(job.clone()),
            after: None,
        });
    }
    let lost = |eni: &&Arc<Eni>| eni.state != EniState::InUse;
    for eni in context.ledger.enis().filter(lost) {
        changes.push(Change::Eni {
            number: eni.number,
            before: Some(eni.clone()),
            after: None,
        });
    }
}

/// Every node reports anew; what the reports of an earlier recovery said is void.
fn forget_strays(context: &Context, changes: &mut Vec<Change>) {
    let ledger = context.ledger;
    let mut seen = BTreeSet::new();
    for stray in ledger.strays() {
        changes.push(Change::Stray {
            node: stray.node,
            key: stray.key.clone(),
            before: Some(stray.clone()),
            after: None,
        });
        for address in &stray.addresses {
            let state = ledger.address_state(*address);
            let after = match &state {
                Some(AddressState::Quarantined { .. }) => AddressState::Free {
                    since: context.revision,
                },
                Some(AddressState::Disputed { claim }) => AddressState::Held { claim: *claim },
                _ => continue,
            };
            if let Some(vswitch) = ledger
                .vswitch_containing(*address)
                .filter(|_| seen.insert(*address))
            {
                changes.push(Change::address(vswitch.id, *address, state, Some(after)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
