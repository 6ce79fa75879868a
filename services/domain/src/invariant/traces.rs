//! Rules about what one command changed: A3 by the table of transitions, A6 and A7 for a DEL, A11 by time.

use super::{Violation, violation};
use crate::command::{Header, Proof, Proposal, Release};
use crate::event::EventGroup;
use crate::id::NodeId;
use crate::ledger::Ledger;
use crate::row::{AddressState, Change, Phase, allowed};

/// A3: an address goes only the ways of the table, and a held one is bound by its own claim only.
pub fn steps_allowed(group: &EventGroup) -> Result<(), Violation> {
    for change in &group.changes {
        let Change::Address {
            address,
            before,
            after,
            ..
        } = change
        else {
            continue;
        };
        if !allowed(before.as_ref(), after.as_ref()) {
            let (from, to) = (
                Phase::of(before.as_ref()).name(),
                Phase::of(after.as_ref()).name(),
            );
            return violation(
                "A3",
                format!("{address} went from {from} to {to} by {}", group.cause),
            );
        }
        if let (Some(AddressState::Held { claim }), Some(AddressState::Bound { key, .. })) =
            (before, after)
        {
            let by_its_claim = |change: &Change| {
                matches!(change, Change::Allocation { after: Some(row), .. }
                    if row.key == *key && row.claim == Some(*claim))
            };
            if !group.changes.iter().any(by_its_claim) {
                return violation(
                    "A3",
                    format!("{address} of claim {claim} went to {key}, which has another"),
                );
            }
        }
    }
    Ok(())
}

/// A11: no address leaves its rest before its time, in ledger time.
pub fn cooled_down(group: &EventGroup) -> Result<(), Violation> {
    for change in &group.changes {
        if let Change::Address {
            address,
            before: Some(AddressState::Cooling { until_ms, .. }),
            after,
            ..
        } = change
            // With its ENI it leaves a dead node, and rests once more when both are gone.
            && !matches!(Phase::of(after.as_ref()), Phase::Cooling | Phase::Releasing)
            // Its node says that it lives there: it was given out before, by the cluster that was restored.
            && group.cause != "confirm-node"
            && group.ledger_time_ms < *until_ms
        {
            let now_ms = group.ledger_time_ms;
            return violation(
                "A11",
                format!("{address} cools until {until_ms}, and was given out at {now_ms}"),
            );
        }
    }
    Ok(())
}

/// A6: a DEL that was applied changes nothing when it comes once more.
pub fn released_once(after: &Ledger, del: &Proposal) -> Result<(), Violation> {
    let header = Header {
        ledger_time_ms: after.ledger_time_ms(),
        wall_time_ms: after.wall_time_ms(),
    };
    match after
        .clone()
        .apply(&header, vec![del.clone()])
        .groups
        .first()
    {
        None => Ok(()),
        Some(group) => violation("A6", format!("the same DEL again made {:?}", group.changes)),
    }
}

/// A7: what a DEL ends is the sandbox that it names, in the bind that it names, on its node, and not one that was invoked
/// later.
pub fn released_its_own(del: &Release, group: &EventGroup) -> Result<(), Violation> {
    for change in &group.changes {
        let Change::Allocation {
            key,
            before: Some(row),
            after: None,
        } = change
        else {
            continue;
        };
        let named = del.generation.is_none_or(|named| named == row.generation);
        let by_shim = matches!(del.proof, Proof::Del | Proof::Collect);
        let later = by_shim && row.boot == del.boot && row.invoked_at_ms > del.invoked_at_ms;
        let elsewhere = by_shim && del.node != NodeId(0) && del.node != row.node;
        if **key != del.key || !named || later || elsewhere {
            return violation("A7", format!("the DEL of {} ended {key}", del.key));
        }
    }
    Ok(())
}
