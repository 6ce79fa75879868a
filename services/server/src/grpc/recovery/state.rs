//! The last recovery as administrators see it. Runs on the replica's thread, so it is short and bounded.

use crate::grpc::encode;
use berth_domain::Ledger;
use berth_domain::id::NodeId;
use berth_domain::row::{Node, Recovery, RecoveryKind, Stray, UNKNOWN_NODES};
use berth_proto::v1;

/// Rows of each list in one answer: whoever waits for more nodes than this begins with these.
const SHOWN_MAX: usize = 1_000;

pub(super) fn of(ledger: &Ledger) -> v1::GetRecoveryResponse {
    let strays = ledger.strays().take(SHOWN_MAX);
    v1::GetRecoveryResponse {
        recovery: ledger.recovery().map(|row| recovery(ledger, row)),
        strays: strays.map(|row| stray(ledger, row)).collect(),
        revision: ledger.revision().0,
        strays_count: ledger.sizes().strays as u32,
    }
}

fn recovery(ledger: &Ledger, row: &Recovery) -> v1::RecoveryState {
    let known = row.waiting.iter().filter_map(|id| ledger.node(*id));
    let waiting = known.take(SHOWN_MAX).map(|node| waiting(ledger, node));
    v1::RecoveryState {
        number: row.number,
        kind: match row.kind {
            RecoveryKind::Restored => "restored".into(),
            RecoveryKind::Forced => "forced".into(),
        },
        former_cluster_id: row.former.to_string(),
        cluster_id: row.cluster.to_string(),
        follows_revision: row.follows.0,
        began_revision: row.began.0,
        began_wall_ms: row.began_wall_ms,
        ordered_by: row.ordered_by.to_string(),
        reason: row.reason.to_string(),
        closed_revision: row.closed.map_or(0, |revision| revision.0),
        waiting: waiting.collect(),
        unknown_nodes: row.waiting.contains(&UNKNOWN_NODES),
        waiting_count: row.waiting.len() as u32,
    }
}

fn waiting(ledger: &Ledger, node: &Node) -> v1::WaitingNode {
    v1::WaitingNode {
        name: node.name.to_string(),
        identity: node.identity.to_string(),
        allocations: ledger.usage(node.id).map_or(0, |usage| usage.allocations),
    }
}

fn stray(ledger: &Ledger, row: &Stray) -> v1::StraySandbox {
    v1::StraySandbox {
        attachment: Some(encode::attachment(&row.key)),
        pod: Some(encode::pod(&row.pod)),
        node: name(ledger, row.node),
        addresses: row.addresses.iter().map(ToString::to_string).collect(),
        cause: row.cause.text().to_owned(),
        since_revision: row.since.0,
    }
}

fn name(ledger: &Ledger, id: NodeId) -> String {
    match ledger.node(id) {
        Some(node) => node.name.to_string(),
        None => format!("node {id} (removed)"),
    }
}
