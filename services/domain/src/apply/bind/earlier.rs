//! What was there before a bind: the same ADD, a DEL that came first, an older sandbox of the same pod.

use crate::apply::Context;
use crate::command::Bind;
use crate::id::AttachmentKey;
use crate::outcome::Refusal;
use crate::planted::{self, Planted};
use crate::row::{Allocation, UNKNOWN_PARAMETERS};
use std::sync::Arc;

/// What the key's own past says.
pub(super) enum Earlier {
    /// It is bound, with the same parameters, in the same boot.
    Repeat(Arc<Allocation>),
    /// It was bound in another boot of the node: that sandbox is gone.
    Ended(Arc<Allocation>),
    /// Nothing.
    None,
}

pub(super) fn of_key(context: &Context, command: &Bind) -> Result<Earlier, Refusal> {
    let Some(attachment) = context.ledger.attachments.get(&command.key) else {
        return Ok(Earlier::None);
    };
    let key = attachment.key();
    if let Some(tombstone) = attachment.tombstone()
        && tombstone.boot == command.boot
        && command.invoked_at_ms <= tombstone.invoked_at_ms
        && !planted::has(Planted::TombstonesIgnored)
    {
        return Err(Refusal::Tombstone { key: key.clone() });
    }
    let Some(bound) = attachment.allocation() else {
        return Ok(Earlier::None);
    };
    let same_boot = bound.boot == command.boot;
    if bound.node == command.node && same_boot && is_asked_for(bound, command) {
        Ok(Earlier::Repeat(bound.clone()))
    } else if bound.node == command.node && !same_boot {
        Ok(Earlier::Ended(bound.clone()))
    } else {
        Err(Refusal::ParametersChanged { key: key.clone() })
    }
}

/// What was adopted is for its pod, whatever that asks for now: its runtime set it up before anybody here knew of it.
fn is_asked_for(bound: &Allocation, command: &Bind) -> bool {
    match bound.parameters {
        UNKNOWN_PARAMETERS => bound.pod == command.pod,
        parameters => parameters == command.parameters,
    }
}

/// Older sandboxes of the same pod uid, network and interface on the same node: one of them at most is alive, the newest.
pub(super) fn of_pod(
    context: &Context,
    command: &Bind,
    ended: &mut Vec<Arc<Allocation>>,
) -> Result<(), Refusal> {
    let AttachmentKey {
        cluster,
        network,
        interface,
        ..
    } = &command.key;
    if command.pod.uid.as_str().is_empty() {
        return Ok(());
    }
    let before = ended.len();
    for other in context.ledger.attachments.of_uid(cluster, &command.pod.uid) {
        let same_place = other.node == command.node
            && other.key.network == *network
            && other.key.interface == *interface;
        if !same_place || *other.key == command.key {
            continue;
        }
        if other.boot == command.boot && other.invoked_at_ms > command.invoked_at_ms {
            // The newer sandbox is bound already: this ADD is the older one's, late.
            return Err(Refusal::Tombstone {
                key: Arc::new(command.key.clone()),
            });
        }
        ended.push(other.clone());
    }
    ended[before..].sort_by_key(|other| other.generation);
    Ok(())
}
