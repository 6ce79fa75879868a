//! Makes a pool of nodes, or changes everything of it but its name and, while it has nodes, its mode.

use super::{ADDRESSES_MAX, Context, Decided, Decision, invalid, security_groups};
use crate::address::NetworkKind;
use crate::command::SetNodePool;
use crate::id::{EniId, NodePoolId, VSwitchId};
use crate::outcome::{Outcome, Refusal};
use crate::row::{Change, EniTag, IdleSettings, NodePool, VSwitch};
use std::sync::Arc;

/// More vSwitches than any region has zones, several times over.
const VSWITCHES_MAX: usize = 64;
/// ECS: an ENI has at most 20 tags; three are Berth's own, and one or the other may come.
const TAGS_MAX: usize = 16;
/// ECS keeps the first three for itself, Berth the last.
const RESERVED: [&str; 4] = ["acs:", "aliyun", "http", "berth-"];
/// Longer than that is never.
const RECLAIM_MAX_MS: u64 = 7 * 24 * 3_600_000;
/// ENIs blocked at once; who has more to drain ends the pool's nodes.
const BLOCKED_MAX: usize = 256;
/// Nodes named in a refusal.
const NAMED: usize = 3;

pub(super) fn decide(context: &Context, command: &SetNodePool) -> Decided {
    let known = context.ledger.node_pool_named(&command.name);
    let id = known.map_or(NodePoolId(context.revision.0), |pool| pool.id);
    check_vswitches(context, command)?;
    check_idle(&command.idle)?;
    check_data_path(command)?;
    let after = NodePool {
        id,
        name: command.name.clone(),
        mode: command.mode,
        vswitches: command.vswitches.clone(),
        draining: command.draining.clone(),
        choice: command.choice,
        security_groups: security_groups::sorted(&command.security_groups)?,
        idle: command.idle,
        blocked: blocked(&command.blocked)?,
        eni_tags: eni_tags(&command.eni_tags)?,
        acceleration: command.acceleration,
        network_policy: command.network_policy,
    };
    if let Some(before) = known {
        if **before == after {
            return Ok(Decision::nothing(Outcome::Done));
        }
        check_nodes(context, before, &after)?;
    }
    let change = Change::NodePool {
        id,
        before: known.cloned(),
        after: Some(Arc::new(after)),
    };
    Ok(Decision {
        changes: vec![change],
        outcome: Outcome::Done,
    })
}

/// Of a VPC, of the same families, each once.
fn check_vswitches(context: &Context, command: &SetNodePool) -> Result<(), Refusal> {
    let count = command.vswitches.len();
    if count == 0 || count > VSWITCHES_MAX {
        let reason = format!("has {count} entries, 1 to {VSWITCHES_MAX} are allowed");
        return Err(invalid("vswitches", reason));
    }
    let rows = command.vswitches.iter().map(|id| context.vswitch(*id));
    let rows: Vec<&Arc<VSwitch>> = rows
        .map(|entry| entry.map(|entry| &entry.row))
        .collect::<Result<_, _>>()?;
    rows.iter()
        .try_for_each(|row| check_vswitch(row, rows[0]))?;
    if let Some(row) = rows.iter().enumerate().find_map(|(place, row)| {
        let before = &rows[..place];
        before.iter().find(|other| other.id == row.id)
    }) {
        return Err(invalid("vswitches", format!("{} is there twice", row.name)));
    }
    let stranger = |id: &&VSwitchId| !command.vswitches.contains(id);
    match command.draining.iter().find(stranger) {
        None => Ok(()),
        Some(id) => {
            let name = &context.vswitch(*id)?.row.name;
            let reason = format!("{name} is not one of the pool's vSwitches");
            Err(invalid("draining", reason))
        }
    }
}

fn check_vswitch(row: &VSwitch, first: &VSwitch) -> Result<(), Refusal> {
    let name = &row.name;
    if row.kind != NetworkKind::Vpc {
        let reason = format!("{name} is of a routed network: there are no ENIs in it");
        return Err(invalid("vswitches", reason));
    }
    if row.ipv4.is_none() {
        let reason = format!("{name} has no IPv4 CIDR: an ENI's primary address is an IPv4");
        return Err(invalid("vswitches", reason));
    }
    if row.cloud.is_none() {
        let reason =
            format!("{name} has no cloud_id: create it with the name that the cloud has for it");
        return Err(invalid("vswitches", reason));
    }
    if row.ipv6.is_some() != first.ipv6.is_some() {
        let (dual, single) = match row.ipv6.is_some() {
            true => (name, &first.name),
            false => (&first.name, name),
        };
        let reason = format!("{dual} has IPv6 and {single} has not: a pool has both or one");
        return Err(invalid("vswitches", reason));
    }
    Ok(())
}

fn check_data_path(command: &SetNodePool) -> Result<(), Refusal> {
    match command.acceleration && !command.mode.shares() {
        true => Err(invalid(
            "acceleration",
            "is on (DataPath V2, IPVLAN), and the pool's nodes are exclusive: shared ones alone can have it",
        )),
        false => Ok(()),
    }
}

fn check_idle(idle: &IdleSettings) -> Result<(), Refusal> {
    let (min, max) = (idle.min, idle.max);
    if min > max {
        return Err(invalid(
            "min_idle",
            format!("{min} is above max_idle {max}"),
        ));
    }
    for (field, count) in [("max_idle", max), ("warm_up", idle.warm_up)] {
        if count as usize > ADDRESSES_MAX {
            return Err(invalid(field, format!("is above {ADDRESSES_MAX}")));
        }
    }
    if idle.reclaim_after_ms == 0 && (idle.reclaim_batch > 0 || idle.reclaim_every_ms > 0) {
        let reason = "is missing: it says from when on an idle address goes back in batches";
        return Err(invalid("reclaim_after", reason));
    }
    for (field, ms) in [
        ("reclaim_after", idle.reclaim_after_ms),
        ("reclaim_every", idle.reclaim_every_ms),
    ] {
        if ms > RECLAIM_MAX_MS {
            return Err(invalid(field, "is longer than a week"));
        }
    }
    Ok(())
}

fn eni_tags(tags: &[EniTag]) -> Result<Vec<EniTag>, Refusal> {
    let mut sorted = tags.to_vec();
    sorted.sort();
    if sorted.len() > TAGS_MAX {
        let reason = format!("has more than {TAGS_MAX}: the cloud takes 20, and Berth has its own");
        return Err(invalid("eni_tags", reason));
    }
    let reserved = |tag: &&EniTag| {
        let key = tag.key.as_str().to_ascii_lowercase();
        RESERVED.iter().any(|prefix| key.starts_with(prefix))
    };
    if let Some(tag) = sorted.iter().find(reserved) {
        let reason = format!("{} is reserved", tag.key);
        return Err(invalid("eni_tags", reason));
    }
    match sorted.windows(2).find(|pair| pair[0].key == pair[1].key) {
        Some(pair) => Err(invalid(
            "eni_tags",
            format!("{} is there twice", pair[0].key),
        )),
        None => Ok(sorted),
    }
}

fn blocked(enis: &[EniId]) -> Result<Vec<EniId>, Refusal> {
    let mut sorted = enis.to_vec();
    sorted.sort();
    sorted.dedup();
    match sorted.len() > BLOCKED_MAX {
        true => Err(invalid("blocked", format!("has more than {BLOCKED_MAX}"))),
        false => Ok(sorted),
    }
}

/// What its nodes have been registered for stays: their room is of the mode, and each has a vSwitch in its zone.
fn check_nodes(context: &Context, before: &NodePool, after: &NodePool) -> Result<(), Refusal> {
    let nodes: Vec<_> = context.ledger.nodes_of(before.id).collect();
    if before.mode != after.mode && !nodes.is_empty() {
        let names = nodes.iter().take(NAMED).map(|node| node.name.to_string());
        let names: Vec<String> = names.collect();
        return Err(Refusal::InUse {
            what: "node pool",
            name: before.name.to_string(),
            by: format!(
                "{} nodes in mode {} ({}): a node keeps its mode for life, so make another pool",
                nodes.len(),
                before.mode.as_str(),
                names.join(", ")
            ),
        });
    }
    let zones = super::register_node::zones(context, after);
    match nodes.iter().find(|node| !zones.contains(&node.zone)) {
        None => Ok(()),
        Some(node) => Err(invalid(
            "vswitches",
            format!(
                "none is left in zone {}, where node {} is; drain one there instead",
                node.zone, node.name
            ),
        )),
    }
}

#[cfg(test)]
mod tests;
