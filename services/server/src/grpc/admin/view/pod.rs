//! One pod: what it has, and in sentences why, or what it waits for.

use super::allocation::allocation;
use super::claim::claim_named;
use berth_domain::Ledger;
use berth_domain::id::ClaimName;
use berth_domain::row::{Claim, ClaimState};
use berth_proto::v1;

pub(in crate::grpc::admin) fn pod(ledger: &Ledger, pod: &ClaimName) -> v1::ExplainPodResponse {
    let rows = ledger.pod_allocations(&pod.cluster, &pod.namespace, &pod.pod);
    let claim = ledger.claim_named(pod);
    let mut findings: Vec<String> = rows
        .iter()
        .map(|row| {
            let addresses: Vec<String> = row.addresses.iter().map(ToString::to_string).collect();
            let node = ledger.node(row.node).map(|node| node.name.to_string());
            let node = node.unwrap_or_else(|| format!("removed node {}", row.node));
            format!(
                "It has {} on {node}, since revision {}.",
                addresses.join(" and "),
                row.generation
            )
        })
        .collect();
    if rows.is_empty() {
        findings.push("It has no address now.".into());
    }
    findings.push(claim.map_or_else(
        || "No claim keeps an address for it: its addresses are dynamic.".into(),
        |claim| kept(ledger, claim),
    ));
    v1::ExplainPodResponse {
        allocations: rows.iter().map(|row| allocation(ledger, row)).collect(),
        claim: claim_named(ledger, pod),
        findings,
        fencing_mode: String::new(),
        revision: ledger.revision().0,
    }
}

fn kept(ledger: &Ledger, claim: &Claim) -> String {
    let now_ms = ledger.ledger_time_ms();
    match &claim.state {
        ClaimState::Bound { node, .. } => {
            let node = ledger.node(*node).map(|node| node.name.to_string());
            let node = node.unwrap_or_else(|| "a removed node".into());
            format!(
                "Its claim is bound on {node}: another sandbox gets the address once that one is gone."
            )
        }
        ClaimState::Held { settled_at_ms, .. } if *settled_at_ms > now_ms => {
            let left_ms = settled_at_ms - now_ms;
            format!(
                "Its claim settles for {left_ms} ms more after the old holder's DEL; an ADD waits for that."
            )
        }
        ClaimState::Held {
            release_at_ms: Some(at_ms),
            ..
        } => {
            let left_s = at_ms.saturating_sub(now_ms) / 1000;
            format!("Its claim is free to bind; without a holder it ends in {left_s} s.")
        }
        ClaimState::Held { .. } => {
            "Its claim is free to bind, on any node of the vSwitch's zone.".into()
        }
    }
}
