//! The DEL: an attachment ends. Of an unknown one: success, and a tombstone.

use super::ending::{self, Ending};
use super::{Context, Decided, Decision, SETTLE_MS, invalid, recovering};
use crate::command::{Proof, Release};
use crate::id::{AttachmentKey, Generation, NodeId};
use crate::outcome::{Outcome, Refusal};
use crate::planted::{self, Planted};
use crate::row::{Allocation, Change, Stray};
use std::sync::Arc;

pub(super) fn decide(context: &Context, command: &Release) -> Decided {
    let attachment = context.ledger.attachments.get(&command.key);
    let namesake = || {
        let rows = context.ledger.attachments.iter();
        let mut rows = rows.filter(|(_, row)| is_namesake(row.key(), &command.key));
        rows.find_map(|(_, row)| row.allocation().map(|_| row))
    };
    let attachment = match attachment.and_then(|row| row.allocation()) {
        None if planted::has(Planted::DeleteByName) => namesake().or(attachment),
        _ => attachment,
    };
    let strays = strays_named(context, command)?;
    if let (Some(named), Some(stray)) = (command.generation, strays.first())
        && Generation(stray.since.0) == named
    {
        let mut changes = Vec::new();
        recovering::end_strays(context, &mut changes, &strays, settle_ms(command));
        let outcome = Outcome::Released { released: true };
        return Ok(Decision { changes, outcome });
    }
    let mut changes = Vec::with_capacity(3);
    let Some(allocation) = attachment.and_then(|row| row.allocation()) else {
        let key = attachment.map(|row| row.key().clone());
        let key = key.unwrap_or_else(|| Arc::new(command.key.clone()));
        recovering::end_strays(context, &mut changes, &strays, settle_ms(command));
        changes.extend(remembered(context, command, &key, None));
        return Ok(Decision {
            changes,
            outcome: Outcome::Released {
                released: !strays.is_empty(),
            },
        });
    };
    check_generation(command, allocation)?;
    if is_elsewhere(command, allocation) || is_older(command, allocation) {
        recovering::end_strays(context, &mut changes, &strays, settle_ms(command));
        let released = !strays.is_empty();
        let outcome = Outcome::Released { released };
        return Ok(Decision { changes, outcome });
    }
    let ending = Ending {
        settle_ms: settle_ms(command),
        pod_gone: command.pod_gone || planted::has(Planted::StaticReleasedOnDelete),
        ..Ending::default()
    };
    ending::end(context, &mut changes, allocation, ending);
    changes.push(ending::row_removed(allocation));
    recovering::end_strays(context, &mut changes, &strays, settle_ms(command));
    changes.extend(remembered(
        context,
        command,
        &allocation.key,
        Some(allocation),
    ));
    Ok(Decision {
        changes,
        outcome: Outcome::Released { released: true },
    })
}

fn settle_ms(command: &Release) -> u64 {
    match command.proof {
        Proof::Del | Proof::Collect => SETTLE_MS,
        Proof::Admin | Proof::NodeDead => 0,
    }
}

/// The strays that this ends: a shim's DEL those of its key on its node that were not invoked later, everybody else the one
/// whose revision it names.
fn strays_named(context: &Context, command: &Release) -> Result<Vec<Arc<Stray>>, Refusal> {
    let of_key = context.ledger.recoveries.of_key(&command.key);
    let strays: Vec<Arc<Stray>> = of_key.cloned().collect();
    if strays.is_empty() {
        return Ok(strays);
    }
    let unnamed = command.generation.is_none() && context.ledger.allocation(&command.key).is_none();
    if unnamed && matches!(command.proof, Proof::Collect | Proof::Admin) {
        return Err(invalid(
            "generation",
            "is missing: name the revision since which the sandbox is known as a stray",
        ));
    }
    let ends = |stray: &Arc<Stray>| match command.generation {
        Some(named) => Generation(stray.since.0) == named,
        None => {
            let here = command.node == NodeId(0) || command.node == stray.node;
            let later = command.boot == stray.boot && stray.invoked_at_ms > command.invoked_at_ms;
            command.proof == Proof::Del && here && !later
        }
    };
    Ok(strays.into_iter().filter(ends).collect())
}

/// Whoever lists and then releases must name what it saw: the key may have been bound again meanwhile.
fn check_generation(command: &Release, allocation: &Allocation) -> Result<(), Refusal> {
    if planted::has(Planted::GenerationIgnored) {
        return Ok(());
    }
    match command.generation {
        None if matches!(command.proof, Proof::Collect | Proof::Admin) => Err(invalid(
            "generation",
            "is missing: name the bind that was seen, so that no later one is released",
        )),
        Some(named) if named != allocation.generation => Err(Refusal::StaleGeneration {
            key: allocation.key.clone(),
            named,
            bound: allocation.generation,
        }),
        _ => Ok(()),
    }
}

/// A runtime speaks for its own node's sandboxes. Another's may have the same container id (podman, cnitool): the ADD
/// there was refused, and the DEL that follows it must not free what lives here. `NodeId(0)` = it is not known where.
fn is_elsewhere(command: &Release, allocation: &Allocation) -> bool {
    matches!(command.proof, Proof::Del | Proof::Collect)
        && command.node != NodeId(0)
        && command.node != allocation.node
}

/// For [`Planted::DeleteByName`]: the same name in front of the last two words of the container's id.
fn is_namesake(one: &AttachmentKey, other: &AttachmentKey) -> bool {
    let name = |key: &AttachmentKey| {
        let mut words = key.container.as_str().rsplitn(3, '-');
        words.nth(2).map(str::to_owned)
    };
    name(one).is_some() && name(one) == name(other)
}

/// A late DEL of an earlier incarnation frees nothing. An administrator has no shim that was invoked.
fn is_older(command: &Release, allocation: &Allocation) -> bool {
    matches!(command.proof, Proof::Del | Proof::Collect)
        && command.boot == allocation.boot
        && command.invoked_at_ms < allocation.invoked_at_ms
}

/// The tombstone, unless a later DEL of that boot is remembered. What an administrator ends stays ended for its own ADD.
fn remembered(
    context: &Context,
    command: &Release,
    key: &Arc<AttachmentKey>,
    ended: Option<&Arc<Allocation>>,
) -> Option<Change> {
    let (boot, invoked_at_ms) = match (command.proof, ended) {
        (Proof::Del | Proof::Collect, Some(_)) | (Proof::Del, None) => {
            (&command.boot, command.invoked_at_ms)
        }
        (_, Some(ended)) => (&ended.boot, ended.invoked_at_ms),
        (_, None) => return None,
    };
    let known = context.ledger.tombstone(key);
    let covered = known.is_some_and(|row| row.boot == *boot && row.invoked_at_ms >= invoked_at_ms);
    (!covered).then(|| ending::tombstone(context, key, boot, invoked_at_ms))
}

#[cfg(test)]
mod tests;
