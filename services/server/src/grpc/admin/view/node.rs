//! Nodes, and their names for rows that know only their ids.

use super::{Page, page};
use crate::grpc::event::Names;
use berth_domain::Ledger;
use berth_domain::address::Family;
use berth_domain::event::EventGroup;
use berth_domain::id::{NodeId, NodeName};
use berth_domain::row::Node;
use berth_proto::v1;

pub(in crate::grpc::admin) fn node_id(ledger: &Ledger, name: &NodeName) -> Option<NodeId> {
    ledger.node_named(name).map(|row| row.id)
}

pub(in crate::grpc::admin) fn node_named(ledger: &Ledger, name: &NodeName) -> Option<v1::Node> {
    ledger.node_named(name).map(|row| node(ledger, row))
}

pub(in crate::grpc::admin) fn nodes(ledger: &Ledger, after: u64, size: usize) -> Page<v1::Node> {
    let rows = ledger.nodes().skip_while(|row| row.id.0 <= after);
    page(
        ledger,
        rows,
        size,
        |row| row.id.0,
        |row| Some(node(ledger, row)),
    )
}

/// The names of all nodes that some event groups speak of and that are still there.
pub(in crate::grpc::admin) fn names(ledger: &Ledger, groups: &[EventGroup]) -> Names {
    let ids = groups.iter().flat_map(Names::asked);
    let named = ids.filter_map(|id| Some((id, ledger.node(id)?.name.to_string())));
    Names {
        nodes: named.collect(),
    }
}

fn node(ledger: &Ledger, row: &Node) -> v1::Node {
    let usage = ledger.usage(row.id);
    let idle = usage.map_or(0, |usage| {
        Family::ALL
            .iter()
            .map(|family| usage.family(*family).idle)
            .sum()
    });
    v1::Node {
        id: row.id.0,
        name: row.name.to_string(),
        zone: row.zone.to_string(),
        identity: row.identity.to_string(),
        instance_type: row.instance_type.to_string(),
        warm_target: row.warm_target,
        pod_capacity: row.eni_slots.saturating_mul(row.addresses_per_eni),
        eni_slots: row.eni_slots,
        addresses_per_eni: row.addresses_per_eni,
        allocations: usage.map_or(0, |usage| usage.allocations),
        idle,
        revision: ledger.revision().0,
        pool: ledger
            .pool_of(row)
            .map_or_else(String::new, |pool| pool.name.to_string()),
    }
}
