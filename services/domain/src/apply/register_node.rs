//! Makes a node known by its identity, or changes its attributes. A name stands for one node at a time.

use super::{Context, Decided, Decision, invalid, recovering};
use crate::command::RegisterNode;
use crate::id::{NodeId, Zone};
use crate::outcome::{Outcome, Refusal};
use crate::row::{Change, Node, NodePool};
use std::collections::BTreeSet;
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
        pool: command.pool,
    };
    check_pool(context, known.map(|node| &**node), &after)?;
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

/// The zones in which a pool has vSwitches.
pub(super) fn zones(context: &Context, pool: &NodePool) -> BTreeSet<Zone> {
    let rows = pool
        .vswitches
        .iter()
        .filter_map(|id| context.ledger.vswitch(*id));
    rows.map(|row| row.zone.clone()).collect()
}

/// What its pods have stays what it is: a node that has ENIs or pods keeps its pool, zone and room.
fn check_pool(context: &Context, before: Option<&Node>, after: &Node) -> Result<(), Refusal> {
    if let Some(before) = before.filter(|before| before.pool.is_some() || after.pool.is_some()) {
        let place = |node: &Node| (node.pool, node.zone.clone());
        let room = |node: &Node| (node.eni_slots, node.addresses_per_eni);
        let stays = place(before) == place(after) && room(before) == room(after);
        check_empty(context, before).or_else(|refusal| match stays {
            true => Ok(()),
            false => Err(refusal),
        })?;
    }
    check_mode(context, before, after)?;
    let Some(id) = after.pool else {
        return Ok(());
    };
    let missing = || Refusal::NotFound {
        what: "node pool",
        name: id.to_string(),
    };
    let pool = context.ledger.node_pool(id).ok_or_else(missing)?;
    if after.eni_slots == 0 || after.addresses_per_eni == 0 {
        let reason = "is missing: the room of a node in a pool is that of its type";
        return Err(invalid("instance_type", reason));
    }
    if after.warm_target > 0 {
        let reason = format!("is of pool {}: set the pool's min_idle", pool.name);
        return Err(invalid("warm_target", reason));
    }
    let zones = zones(context, pool);
    match zones.contains(&after.zone) {
        true => Ok(()),
        false => {
            let zones: Vec<&str> = zones.iter().map(Zone::as_str).collect();
            let reason = format!(
                "pool {} has no vSwitch in {:?}, it has some in {}: an ENI cannot be attached across zones",
                pool.name,
                after.zone.as_str(),
                zones.join(", ")
            );
            Err(invalid("zone", reason))
        }
    }
}

/// A node keeps its mode for life: what runs on it was set up for the one.
fn check_mode(context: &Context, before: Option<&Node>, after: &Node) -> Result<(), Refusal> {
    let pool = |node: &Node| context.ledger.node_pool(node.pool?);
    let Some(had) = before.and_then(pool) else {
        return Ok(());
    };
    match pool(after) {
        Some(has) if has.mode == had.mode => Ok(()),
        _ => Err(invalid(
            "pool",
            format!(
                "a node of pool {} keeps mode {} for life: remove node {} and register its replacement",
                had.name,
                had.mode.as_str(),
                after.name
            ),
        )),
    }
}

fn check_empty(context: &Context, node: &Node) -> Result<(), Refusal> {
    let enis = context.ledger.enis_of(node.id).count();
    let pods = context
        .ledger
        .usage(node.id)
        .map_or(0, |usage| usage.allocations);
    match enis == 0 && pods == 0 {
        true => Ok(()),
        false => Err(Refusal::InUse {
            what: "node",
            name: node.name.to_string(),
            by: format!(
                "{enis} ENIs and {pods} allocations: its pool, zone and type stay while it has some"
            ),
        }),
    }
}

#[cfg(test)]
mod tests;
