//! A known vSwitch gets other CIDRs, exclusions or another rest. What is in use stays what it is.

use super::create_vswitch::{lived_in, with_exclusions};
use super::{Context, Decided, Decision, invalid};
use crate::address::{Family, Subnet, address};
use crate::command::SetVSwitch;
use crate::ledger::vswitches::Entry;
use crate::outcome::{Outcome, Refusal};
use crate::row::{Change, Phase, VSwitch};
use std::sync::Arc;

/// Addresses named in a refusal.
const NAMED: usize = 3;

pub(super) fn decide(context: &Context, command: &SetVSwitch) -> Decided {
    let missing = || Refusal::NotFound {
        what: "vSwitch",
        name: command.name.to_string(),
    };
    let before = context
        .ledger
        .vswitch_named(&command.name)
        .ok_or_else(missing)?;
    let row = VSwitch {
        ipv4: command.ipv4,
        ipv6: command.ipv6,
        cooling_ms: command.cooling_ms,
        ..(**before).clone()
    };
    for family in Family::ALL {
        check_family(before.subnet(family), row.subnet(family), family)?;
    }
    let after = with_exclusions(row, &command.exclusions)?;
    if **before == after {
        return Ok(Decision::nothing(Outcome::VSwitch(before.id)));
    }
    check_overlap(context, &after)?;
    check_use(context, before, &after)?;
    let grown = lived_in(context, &after)
        .into_iter()
        .filter(|change| match change {
            Change::Address { address, .. } => !before.contains(*address),
            _ => true,
        });
    let mut changes = vec![Change::VSwitch {
        id: before.id,
        before: Some(before.clone()),
        after: Some(Arc::new(after.clone())),
    }];
    changes.extend(grown);
    Ok(Decision {
        changes,
        outcome: Outcome::VSwitch(before.id),
    })
}

/// Pods keep their gateway and their prefix's first bits: a CIDR grows around the old one or shrinks into it.
fn check_family(
    before: Option<&Subnet>,
    after: Option<&Subnet>,
    family: Family,
) -> Result<(), Refusal> {
    let field = match family {
        Family::V4 => "ipv4.cidr",
        Family::V6 => "ipv6.cidr",
    };
    match (before, after) {
        (None, None) => Ok(()),
        (Some(before), Some(after)) if after.family() == family => {
            let holds = |outer: &Subnet, inner: &Subnet| outer.cidr.contains(&inner.cidr);
            match holds(before, after) || holds(after, before) {
                true => Ok(()),
                false => Err(invalid(
                    field,
                    format!(
                        "{} neither holds {} nor lies in it",
                        after.cidr, before.cidr
                    ),
                )),
            }
        }
        _ => Err(invalid(
            field,
            "a vSwitch keeps its families: make another one",
        )),
    }
}

fn check_overlap(context: &Context, after: &VSwitch) -> Result<(), Refusal> {
    let others = context.ledger.vswitches.iter();
    let mut others = others.filter(|entry: &&Entry| entry.row.id != after.id);
    let hit = others.find_map(|entry| {
        let theirs = entry.row.subnets();
        let mut pairs = theirs.flat_map(|theirs| after.subnets().map(move |ours| (theirs, ours)));
        let (theirs, ours) = pairs.find(|(theirs, ours)| {
            let ((first, last), (start, end)) = (theirs.span(), ours.span());
            first <= end && start <= last
        })?;
        Some((theirs.cidr, ours.cidr, entry.row.name.clone()))
    });
    match hit {
        None => Ok(()),
        Some((theirs, ours, vswitch)) => Err(Refusal::Overlap {
            cidr: ours.to_string(),
            other: theirs.to_string(),
            vswitch,
        }),
    }
}

/// What somebody has, or may have, stays one that can be given out.
fn check_use(context: &Context, before: &VSwitch, after: &VSwitch) -> Result<(), Refusal> {
    let mut used = Vec::new();
    let mut count = 0;
    for subnet in before.subnets() {
        for (number, place) in context.ledger.addresses.span(subnet.span()) {
            let at = address(number);
            let goes = !after.contains(at) || after.excludes(at);
            if goes && !is_forgettable(place.phase()) {
                count += 1;
                if used.len() < NAMED {
                    used.push(format!("{at} ({})", place.phase().name()));
                }
            }
        }
    }
    match count {
        0 => Ok(()),
        _ => Err(Refusal::InUse {
            what: "vSwitch",
            name: before.name.to_string(),
            by: format!(
                "{count} addresses that would not be given out any more: {}; see `berthctl allocation list`, and drain them first",
                used.join(", ")
            ),
        }),
    }
}

/// Nobody is hurt if an address in this state is forgotten.
pub(crate) fn is_forgettable(phase: Phase) -> bool {
    matches!(
        phase,
        Phase::NeverUsed | Phase::Free | Phase::Cooling | Phase::Foreign
    )
}

#[cfg(test)]
mod tests;
