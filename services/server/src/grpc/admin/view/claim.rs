//! Claims: whose, which addresses, who lives there.

use super::{Page, page};
use crate::policy;
use berth_domain::Ledger;
use berth_domain::id::{ClaimId, ClaimName, Namespace};
use berth_domain::row::{AddressState, Allocation, Claim, ClaimState};
use berth_proto::v1;

pub(in crate::grpc::admin) fn claim_id(ledger: &Ledger, name: &ClaimName) -> Option<ClaimId> {
    ledger.claim_named(name).map(|row| row.id)
}

pub(in crate::grpc::admin) fn claim_named(ledger: &Ledger, name: &ClaimName) -> Option<v1::Claim> {
    ledger.claim_named(name).map(|row| claim(ledger, row))
}

pub(in crate::grpc::admin) fn claims(
    ledger: &Ledger,
    namespace: Option<&Namespace>,
    after: u64,
    size: usize,
) -> Page<v1::Claim> {
    let rows = ledger.claims_from(ClaimId(after.saturating_add(1)));
    let fits = |row: &Claim| namespace.is_none_or(|namespace| row.name.namespace == *namespace);
    page(
        ledger,
        rows,
        size,
        |row| row.id.0,
        |row| fits(row).then(|| claim(ledger, row)),
    )
}

fn claim(ledger: &Ledger, row: &Claim) -> v1::Claim {
    let vswitch = ledger
        .vswitch(row.vswitch)
        .map(|vswitch| vswitch.name.to_string());
    let mut claim = v1::Claim {
        id: row.id.0,
        name: row.name.to_string(),
        cluster: row.name.cluster.to_string(),
        namespace: row.name.namespace.to_string(),
        pod: row.name.pod.to_string(),
        vswitch: vswitch.unwrap_or_default(),
        addresses: row.addresses.iter().map(ToString::to_string).collect(),
        policy: policy::text(row.policy),
        generation: row.generation.0,
        revision: ledger.revision().0,
        ..Default::default()
    };
    match &row.state {
        ClaimState::Held {
            settled_at_ms,
            release_at_ms,
            ..
        } => {
            // The old holder's link may outlive its DEL; until then nobody else may have it.
            let settled = *settled_at_ms <= ledger.ledger_time_ms();
            claim.state = if settled { "held" } else { "handover" }.into();
            claim.release_at_ms = release_at_ms.unwrap_or_default();
        }
        ClaimState::Bound { key, node, .. } => {
            let node = ledger.node(*node).map(|node| node.name.to_string());
            claim.state = "bound".into();
            claim.holder = format!("{}/{}/{}", key.network, key.container, key.interface);
            claim.node = node.unwrap_or_default();
        }
    }
    claim
}

/// The name of the claim that an address was held for, or whose allocation had it; its id if it is gone.
pub(in crate::grpc::admin) fn claim_of(
    ledger: &Ledger,
    state: Option<&AddressState>,
    allocation: Option<&Allocation>,
) -> String {
    let id = match state {
        Some(AddressState::Held { claim } | AddressState::Disputed { claim }) => Some(*claim),
        _ => allocation.and_then(|row| row.claim),
    };
    let name = |id: ClaimId| match ledger.claim(id) {
        Some(claim) => claim.name.to_string(),
        None => format!("claim {id} (ended)"),
    };
    id.map(name).unwrap_or_default()
}
