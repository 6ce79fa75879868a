//! Node pools, ENIs and jobs.

use super::{Page, page};
use berth_domain::Ledger;
use berth_domain::id::{NodeId, NodePoolName, VSwitchId, Zone};
use berth_domain::row::{Eni, Job, NodePool};
use berth_proto::v1;
use std::collections::BTreeSet;

/// With fewer zones a zone that fails takes too many nodes (ACK's own advice for vSwitches of pods).
const ZONES_WISE: usize = 3;

pub(in crate::grpc::admin) fn pool_named(
    ledger: &Ledger,
    name: &NodePoolName,
) -> Option<v1::NodePool> {
    ledger.node_pool_named(name).map(|row| pool(ledger, row))
}

pub(in crate::grpc::admin) fn pools(ledger: &Ledger) -> Vec<v1::NodePool> {
    ledger.node_pools().map(|row| pool(ledger, row)).collect()
}

pub(in crate::grpc::admin) fn enis(
    ledger: &Ledger,
    node: Option<NodeId>,
    after: u64,
    size: usize,
) -> Page<v1::Eni> {
    let rows = ledger
        .enis()
        .filter(|row| row.number.0 > after && node.is_none_or(|node| row.node == node));
    page(
        ledger,
        rows,
        size,
        |row| row.number.0,
        |row| Some(eni(ledger, row)),
    )
}

pub(in crate::grpc::admin) fn jobs(
    ledger: &Ledger,
    node: Option<NodeId>,
    after: u64,
    size: usize,
) -> Page<v1::Job> {
    let rows = ledger
        .jobs()
        .filter(|row| row.id.0 > after && node.is_none_or(|node| row.node == node));
    page(
        ledger,
        rows,
        size,
        |row| row.id.0,
        |row| Some(job(ledger, row)),
    )
}

fn pool(ledger: &Ledger, row: &NodePool) -> v1::NodePool {
    let names = |ids: &[VSwitchId]| ids.iter().map(|id| vswitch_name(ledger, *id)).collect();
    let nodes: Vec<NodeId> = ledger.nodes_of(row.id).map(|node| node.id).collect();
    let count = |of: &dyn Fn(NodeId) -> usize| nodes.iter().map(|id| of(*id)).sum::<usize>() as u32;
    v1::NodePool {
        id: row.id.0,
        name: row.name.to_string(),
        mode: row.mode.as_str().into(),
        vswitches: names(&row.vswitches),
        draining: names(&row.draining),
        choice: row.choice.name().into(),
        security_groups: texts(&row.security_groups),
        min_idle: row.idle.min,
        max_idle: row.idle.max,
        eni_tags: row
            .eni_tags
            .iter()
            .map(|tag| (tag.key.to_string(), tag.value.to_string()))
            .collect(),
        warm_up: row.idle.warm_up,
        reclaim_after_ms: row.idle.reclaim_after_ms,
        reclaim_batch: row.idle.reclaim_batch,
        reclaim_every_ms: row.idle.reclaim_every_ms,
        acceleration: row.acceleration,
        network_policy: row.network_policy,
        warnings: warnings(ledger, row),
        blocked_enis: texts(&row.blocked),
        nodes: nodes.len() as u32,
        enis: count(&|id| ledger.enis_of(id).count()),
        jobs: count(&|id| ledger.jobs_of(id).count()),
        revision: ledger.revision().0,
    }
}

/// What is allowed and unwise.
fn warnings(ledger: &Ledger, row: &NodePool) -> Vec<String> {
    let rows = row.vswitches.iter().filter(|id| row.takes_from(**id));
    let zones: BTreeSet<&Zone> = rows
        .filter_map(|id| Some(&ledger.vswitch(*id)?.zone))
        .collect();
    let mut said = Vec::new();
    if zones.len() < ZONES_WISE {
        let names: Vec<&str> = zones.iter().map(|zone| zone.as_str()).collect();
        said.push(format!(
            "its vSwitches are in {} of at least {ZONES_WISE} zones ({}): when one fails few nodes are left",
            names.len(),
            names.join(", ")
        ));
    }
    if row.network_policy && !row.mode.shares() {
        said.push("NetworkPolicies do not hold for pods with an ENI of their own".into());
    }
    said
}

fn eni(ledger: &Ledger, row: &Eni) -> v1::Eni {
    let addresses = ledger.addresses_on(row);
    let bound = addresses.iter().filter(|at| ledger.holder(**at).is_some());
    v1::Eni {
        number: row.number.0,
        id: row
            .id
            .as_ref()
            .map_or_else(String::new, |id| id.to_string()),
        mac: row
            .mac
            .as_ref()
            .map_or_else(String::new, |mac| mac.to_string()),
        node: node_name(ledger, row.node),
        vswitch: vswitch_name(ledger, row.vswitch),
        kind: row.kind.name().into(),
        state: row.state.name().into(),
        primary: row.primary.to_string(),
        security_groups: texts(&row.security_groups),
        bound: bound.count() as u32,
        addresses: texts(&addresses),
    }
}

fn job(ledger: &Ledger, row: &Job) -> v1::Job {
    let now_ms = ledger.ledger_time_ms();
    let id = ledger.eni(row.eni).and_then(|eni| eni.id.as_ref());
    let doubt_until_ms = row.doubt_until_ms.unwrap_or(0);
    v1::Job {
        id: row.id.0,
        node: node_name(ledger, row.node),
        vswitch: vswitch_name(ledger, row.vswitch),
        eni_number: row.eni.0,
        eni: id.map_or_else(String::new, |id| id.to_string()),
        work: row.work.name().into(),
        step: row.step.name().into(),
        addresses: texts(&row.addresses),
        attempt: row.attempt,
        age_ms: now_ms.saturating_sub(row.began_ms),
        step_age_ms: now_ms.saturating_sub(row.step_since_ms),
        trouble: row
            .trouble
            .map_or_else(String::new, |cause| cause.to_string()),
        doubt_ms: doubt_until_ms.saturating_sub(now_ms),
    }
}

fn node_name(ledger: &Ledger, id: NodeId) -> String {
    ledger
        .node(id)
        .map_or_else(String::new, |row| row.name.to_string())
}

fn vswitch_name(ledger: &Ledger, id: VSwitchId) -> String {
    ledger
        .vswitch(id)
        .map_or_else(String::new, |row| row.name.to_string())
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
