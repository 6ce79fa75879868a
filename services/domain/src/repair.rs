//! What can be mended in a ledger that breaks a rule, or keeps what nobody will ask for again: the plan behind
//! `berthctl check --repair`.
//!
//! Finds only; each remedy is a command, and the ledger decides again when it comes. Knows nothing of Kubernetes: whether
//! a pod is gone is asked of whoever calls.

use crate::command::{Command, Expire, Repair};
use crate::id::ClaimName;
use crate::ledger::Ledger;
use crate::row::{AddressState, ClaimState, Policy};
use std::net::IpAddr;

/// One thing that is wrong, and what would mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that it breaks: "A13".
    pub rule: &'static str,
    /// What is wrong, in one sentence with names.
    pub what: String,
    /// What mending it does, in one sentence.
    pub remedy: &'static str,
    /// How it is done.
    pub command: Command,
}

/// Housekeeping lets expire what is due within a second or two; what is due for longer was forgotten.
pub const OVERDUE_MS: u64 = 60_000;
/// Rows that one remedy lets expire.
pub const EXPIRE_ROWS: u32 = 512;

/// Everything that can be mended, at most `limit` of it, in the order in which it should be done.
pub fn plan(
    ledger: &Ledger,
    pod_is_gone: &dyn Fn(&ClaimName) -> bool,
    limit: usize,
) -> Vec<Finding> {
    let lost = lost_allocations(ledger);
    let stray = stray_addresses(ledger);
    let idle = idle_claims(ledger, pod_is_gone);
    lost.chain(stray)
        .chain(idle)
        .chain(overdue(ledger))
        .take(limit)
        .collect()
}

fn lost_allocations(ledger: &Ledger) -> impl Iterator<Item = Finding> {
    let rows = ledger.attachments.iter();
    let mut lost: Vec<_> = rows
        .filter_map(|(_, row)| row.allocation())
        .filter(|row| ledger.node(row.node).is_none())
        .collect();
    lost.sort_by_key(|row| row.generation);
    lost.into_iter().map(|row| Finding {
        rule: "A13",
        what: format!(
            "{} is bound on node {}, which is not there",
            row.key, row.node
        ),
        remedy: "the allocation ends; its addresses cool, or are kept for their claim",
        command: Command::Repair(Repair::EndAllocation {
            key: (*row.key).clone(),
            generation: row.generation,
        }),
    })
}

fn stray_addresses(ledger: &Ledger) -> impl Iterator<Item = Finding> {
    let all = ledger.vswitches().flat_map(|row| ledger.addresses(row.id));
    all.filter_map(|(address, _)| {
        let why = for_nobody(ledger, address)?;
        Some(Finding {
            rule: "A13",
            what: format!("{address} {why}"),
            remedy: "the address cools and is free again",
            command: Command::Repair(Repair::FreeAddress { address }),
        })
    })
}

fn idle_claims(
    ledger: &Ledger,
    pod_is_gone: &dyn Fn(&ClaimName) -> bool,
) -> impl Iterator<Item = Finding> {
    let held = |state: &ClaimState| matches!(state, ClaimState::Held { .. });
    let ends = ledger
        .claims()
        .filter(move |claim| claim.policy == Policy::Delete && held(&claim.state));
    ends.filter(move |claim| pod_is_gone(&claim.name))
        .map(|claim| Finding {
            rule: "A13",
            what: format!(
                "claim {} ends with its pod, and there is no such pod",
                claim.name
            ),
            remedy: "the claim ends; its addresses cool and are free again",
            command: Command::Repair(Repair::EndClaim {
                claim: claim.id,
                generation: claim.generation,
            }),
        })
}

fn overdue(ledger: &Ledger) -> Option<Finding> {
    let due_ms = ledger.next_due_ms()?;
    let late_ms = ledger.ledger_time_ms().saturating_sub(due_ms);
    (late_ms > OVERDUE_MS).then(|| Finding {
        rule: "A13",
        what: format!(
            "something has been due for {} s and has not expired",
            late_ms / 1_000
        ),
        remedy: "what is due expires",
        command: Command::Expire(Expire { limit: EXPIRE_ROWS }),
    })
}

/// Why an address that is kept is kept for nobody; none = all is well with it.
pub(crate) fn for_nobody(ledger: &Ledger, address: IpAddr) -> Option<&'static str> {
    match ledger.address_state(address)? {
        AddressState::Bound { key, .. } => {
            let row = ledger.allocation(&key);
            let has_it = row.is_some_and(|row| row.addresses.contains(&address));
            (!has_it).then_some("is bound to an attachment that does not have it")
        }
        AddressState::Idle { node, .. } => ledger
            .node(node)
            .is_none()
            .then_some("is warm on a node that is not there"),
        AddressState::Held { claim } | AddressState::Disputed { claim } => {
            let row = ledger.claim(claim);
            let has_it = row.is_some_and(|row| row.addresses.contains(&address));
            (!has_it).then_some("is kept for a claim that does not have it")
        }
        _ => None,
    }
}
