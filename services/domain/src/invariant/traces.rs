//! Rules about what one command changed: A3, A6, A7 by the table of transitions, A11 by time.

use super::{Violation, violation};
use crate::event::EventGroup;
use crate::row::{AddressState, Change, Phase, allowed};

/// A3, A6, A7: an address goes only the ways of the table, so that a held one never becomes another identity's, a
/// repeated DEL finds nothing to change, and what is bound ends only by a command that names its sandbox.
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
            && Phase::of(after.as_ref()) != Phase::Cooling
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
