//! Where addresses may lie: A16, A17.

use super::{Violation, violation};
use crate::address::{Family, address};
use crate::ledger::Ledger;
use crate::row::Allocation;

/// A16: every row lies in a vSwitch and is not excluded; an allocation has each family of its vSwitch once, IPv4 first.
pub(super) fn in_range(ledger: &Ledger) -> Result<(), Violation> {
    for (number, _) in ledger.addresses.span((0, u128::MAX)) {
        let address = address(number);
        let vswitch = ledger.vswitch_containing(address);
        if vswitch.is_none_or(|vswitch| vswitch.excludes(address)) {
            return violation(
                "A16",
                format!("{address} was given out, and no vSwitch gives it"),
            );
        }
    }
    for node in ledger.nodes() {
        ledger
            .node_allocations(node.id)
            .try_for_each(|row| complete(ledger, row))?;
    }
    Ok(())
}

fn complete(ledger: &Ledger, row: &Allocation) -> Result<(), Violation> {
    let families = row.addresses.iter().map(|address| Family::of(*address));
    let own = ledger.vswitch(row.vswitch);
    let whole = own.is_some_and(|vswitch| {
        families.eq(vswitch.families())
            && row
                .addresses
                .iter()
                .all(|address| vswitch.contains(*address))
    });
    match whole {
        true => Ok(()),
        false => violation(
            "A16",
            format!(
                "{} has {:?}, not one of each family",
                row.key, row.addresses
            ),
        ),
    }
}

/// A17: sorted by their beginnings, each subnet ends before the next begins, and each is found by its addresses.
pub(super) fn disjoint(ledger: &Ledger) -> Result<(), Violation> {
    let subnets = ledger
        .vswitches()
        .flat_map(|row| row.subnets().map(move |subnet| (subnet, row)));
    let mut spans: Vec<_> = subnets
        .map(|(subnet, row)| (subnet.span(), subnet.cidr, row))
        .collect();
    spans.sort_by_key(|(span, ..)| *span);
    for pair in spans.windows(2) {
        if pair[0].0.1 >= pair[1].0.0 {
            return violation("A17", format!("{} and {} overlap", pair[0].1, pair[1].1));
        }
    }
    for ((first, last), cidr, row) in spans {
        let found = [first, last].map(|number| ledger.vswitches.containing(number));
        if found != [Some(row.id); 2] {
            return violation(
                "A17",
                format!(
                    "{cidr} of vSwitch {} is not found by its addresses",
                    row.name
                ),
            );
        }
    }
    Ok(())
}
