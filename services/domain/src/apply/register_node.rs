//! Makes a node known by its identity, or changes its attributes. A name stands for one node at a time.

use super::{Context, Decided, Decision, invalid, recovering};
use crate::command::RegisterNode;
use crate::id::NodeId;
use crate::outcome::{Outcome, Refusal};
use crate::row::{Change, Node};
use std::sync::Arc;

/// A node's warm addresses are stocked by one command.
const WARM_TARGET_MAX: u32 = super::ADDRESSES_MAX as u32;

pub(super) fn decide(context: &Context, command: &RegisterNode) -> Decided {
    let ledger = context.ledger;
    if command.warm_target > WARM_TARGET_MAX {
        return Err(invalid(
            "warm_target",
            format!("is above {WARM_TARGET_MAX}"),
        ));
    }
    let known = ledger.node_identified(&command.identity);
    if let Some(other) = ledger.node_named(&command.name)
        && other.identity != command.identity
    {
        let name = format!(
            "{} (identity {}; remove it before identity {} takes the name)",
            other.name, other.identity, command.identity
        );
        return Err(Refusal::AlreadyExists { what: "node", name });
    }
    let id = known.map_or(NodeId(context.revision.0), |node| node.id);
    let after = Node {
        id,
        name: command.name.clone(),
        identity: command.identity.clone(),
        zone: command.zone.clone(),
        instance_type: command.instance_type.clone(),
        eni_slots: command.eni_slots,
        addresses_per_eni: command.addresses_per_eni,
        warm_target: command.warm_target,
    };
    if known.is_some_and(|before| **before == after) {
        return Ok(Decision::nothing(Outcome::Node(id)));
    }
    let change = Change::Node {
        id,
        before: known.cloned(),
        after: Some(Arc::new(after)),
    };
    let mut changes = vec![change];
    if known.is_none() {
        recovering::owes(context, &mut changes, id);
    }
    Ok(Decision {
        changes,
        outcome: Outcome::Node(id),
    })
}
