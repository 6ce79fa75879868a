//! Forgets a node. Its warm addresses become free; if it is confirmed dead, its allocations end.

mod enis;

use super::ending::{self, Ending};
use super::{Context, Decided, Decision, recovering};
use crate::command::RemoveNode;
use crate::outcome::{Outcome, Refusal};
use crate::row::{AddressState, Change};
use std::net::IpAddr;

pub(super) fn decide(context: &Context, command: &RemoveNode) -> Decided {
    let entry = context.node(command.node)?;
    let allocations = entry.usage.allocations;
    if allocations > 0 && !command.confirmed_dead {
        return Err(Refusal::InUse {
            what: "node",
            name: entry.row.name.to_string(),
            by: format!(
                "{allocations} allocations; if it is dead for sure, remove it with --confirmed-dead"
            ),
        });
    }
    let recovery = context.ledger.recoveries.open();
    let owes = recovery.is_some_and(|row| row.waiting.contains(&command.node));
    let strays = context
        .ledger
        .strays()
        .filter(|row| row.node == command.node);
    let strays: Vec<_> = strays.cloned().collect();
    if (owes || !strays.is_empty()) && !command.confirmed_dead {
        return Err(Refusal::InUse {
            what: "node",
            name: entry.row.name.to_string(),
            by: "what lived there before the cluster was restored; if it is dead for sure, remove it with --confirmed-dead"
                .into(),
        });
    }
    let mut changes = Vec::new();
    let ending = Ending {
        node_gone: true,
        ..Ending::default()
    };
    for allocation in context.ledger.node_allocations(command.node) {
        ending::end(context, &mut changes, allocation, ending);
        changes.push(ending::row_removed(allocation));
    }
    for (address, before) in context.ledger.node_standing(command.node) {
        changes.extend(left(context, address, before));
    }
    enis::leave(context, &mut changes, command.node);
    recovering::end_strays(context, &mut changes, &strays, 0);
    recovering::settle(context, &mut changes, command.node);
    changes.push(Change::Node {
        id: command.node,
        before: Some(entry.row.clone()),
        after: None,
    });
    Ok(Decision {
        changes,
        outcome: Outcome::Done,
    })
}

/// What stood on the node stands there no more.
fn left(context: &Context, address: IpAddr, before: AddressState) -> Option<Change> {
    let vswitch = context.ledger.vswitch_containing(address)?.id;
    let after = match &before {
        AddressState::Idle { .. } => AddressState::Free {
            since: context.revision,
        },
        AddressState::Cooling { until_ms, .. } => AddressState::Cooling {
            until_ms: *until_ms,
            node: None,
            eni: None,
        },
        _ => return None,
    };
    Some(Change::address(vswitch, address, Some(before), Some(after)))
}
