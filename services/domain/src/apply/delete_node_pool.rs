//! Ends a pool that has no nodes.

use super::{Context, Decided, Decision};
use crate::command::DeleteNodePool;
use crate::outcome::{Outcome, Refusal};
use crate::row::Change;

pub(super) fn decide(context: &Context, command: &DeleteNodePool) -> Decided {
    let name = command.name.to_string();
    let what = "node pool";
    let Some(row) = context.ledger.node_pool_named(&command.name) else {
        return Err(Refusal::NotFound { what, name });
    };
    let nodes = context.ledger.nodes_of(row.id).count();
    if nodes > 0 {
        let by = format!("{nodes} nodes: remove them first");
        return Err(Refusal::InUse { what, name, by });
    }
    let change = Change::NodePool {
        id: row.id,
        before: Some(row.clone()),
        after: None,
    };
    Ok(Decision {
        changes: vec![change],
        outcome: Outcome::Done,
    })
}
