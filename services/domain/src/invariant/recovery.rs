//! After a restore: A2.

use super::{Violation, violation};
use crate::event::EventGroup;
use crate::ledger::Ledger;
use crate::row::{Change, Phase};

/// A2: what lives by its node's word is given to nobody else, and every stray is found by its addresses.
pub(super) fn strays_are_kept(ledger: &Ledger) -> Result<(), Violation> {
    for stray in ledger.strays() {
        for address in &stray.addresses {
            if !ledger.strays_at(*address).any(|found| found == stray) {
                let key = &stray.key;
                return violation("A2", format!("stray {key} is not found by {address}"));
            }
            let vswitch = ledger.vswitch_containing(*address);
            let phase = ledger.phase(*address);
            let given = vswitch.is_some_and(|vswitch| !vswitch.excludes(*address));
            if given && !matches!(phase, Phase::Bound | Phase::Quarantined | Phase::Disputed) {
                let (key, phase) = (&stray.key, phase.name());
                return violation("A2", format!("{address} of stray {key} is {phase}"));
            }
        }
    }
    Ok(())
}

/// A2: while a recovery is open, no address is given out: what was not bound stays unbound, but by its node's word; and
/// nothing becomes free, but a node's warm address by that node's word. `before` is the ledger before the group.
pub fn nothing_given_out(before: &Ledger, group: &EventGroup) -> Result<(), Violation> {
    if !before.is_recovering() || matches!(group.cause, "confirm-node" | "recover") {
        return Ok(());
    }
    for change in &group.changes {
        let Change::Address {
            address,
            before: from,
            after,
            ..
        } = change
        else {
            continue;
        };
        let (from, to) = (Phase::of(from.as_ref()), Phase::of(after.as_ref()));
        let given = matches!(to, Phase::Bound | Phase::Idle | Phase::Held)
            && !matches!(from, Phase::Bound | Phase::Disputed | Phase::Cooling);
        let contested = to == Phase::Bound && before.is_contested(*address);
        if given || contested {
            return violation(
                "A2",
                format!(
                    "{address} went from {} to {} by {} before every node had said what lives there",
                    from.name(),
                    to.name(),
                    group.cause
                ),
            );
        }
    }
    Ok(())
}
