//! Addresses that somebody else in the network has: found in the cloud, avoided here.

use super::{Context, Decided, Decision, given};
use crate::command::NoteForeign;
use crate::outcome::Outcome;
use crate::row::{AddressState, Change, Phase, VSwitch};
use std::net::IpAddr;

pub(super) fn decide(context: &Context, command: &NoteForeign) -> Decided {
    let vswitch = &context.vswitch(command.vswitch)?.row;
    let named: Vec<IpAddr> = command.come.iter().chain(&command.gone).copied().collect();
    given::distinct(&named)?;
    let inside = |address: &&IpAddr| vswitch.contains(**address) && !vswitch.excludes(**address);
    let come = command.come.iter().filter(inside);
    let gone = command.gone.iter().filter(inside);
    let come = come.filter_map(|address| comes(context, vswitch, *address));
    let gone = gone.filter_map(|address| goes(context, vswitch, *address));
    let changes: Vec<Change> = come.chain(gone).collect();
    let outcome = Outcome::Rows(changes.len() as u32);
    Ok(Decision { changes, outcome })
}

fn comes(context: &Context, vswitch: &VSwitch, address: IpAddr) -> Option<Change> {
    let free = matches!(
        context.ledger.phase(address),
        Phase::NeverUsed | Phase::Free
    );
    let before = context.ledger.address_state(address);
    free.then(|| Change::address(vswitch.id, address, before, Some(AddressState::Foreign)))
}

fn goes(context: &Context, vswitch: &VSwitch, address: IpAddr) -> Option<Change> {
    let before = context.ledger.address_state(address);
    let foreign = before == Some(AddressState::Foreign);
    let after = AddressState::Free {
        since: context.revision,
    };
    foreign.then(|| Change::address(vswitch.id, address, before, Some(after)))
}

#[cfg(test)]
mod tests;
