//! Free addresses become a node's warm ones.

use super::bind::addresses::is_ours;
use super::{Context, Decided, Decision, given, invalid};
use crate::address::Family;
use crate::command::Stock;
use crate::outcome::Outcome;
use crate::row::{AddressState, Change};

pub(super) fn decide(context: &Context, command: &Stock) -> Decided {
    given::distinct(&command.addresses)?;
    let vswitch = &context.vswitch(command.vswitch)?.row;
    let node = context.node(command.node)?;
    if is_ours(context, command.node, command.eni.as_ref()) {
        return Err(invalid(
            "eni",
            "addresses come onto an ENI by a job, once the cloud has them there",
        ));
    }
    for family in Family::ALL {
        let come = command
            .addresses
            .iter()
            .filter(|at| Family::of(**at) == family)
            .count();
        given::room(node, family, come as u32, 0)?;
    }
    let mut changes = Vec::with_capacity(command.addresses.len());
    for address in &command.addresses {
        given::in_range(vswitch, *address)?;
        let before = given::free(context, *address)?;
        let after = AddressState::Idle {
            node: command.node,
            eni: command.eni.clone(),
        };
        changes.push(Change::address(
            command.vswitch,
            *address,
            before,
            Some(after),
        ));
    }
    let outcome = Outcome::Rows(changes.len() as u32);
    Ok(Decision { changes, outcome })
}
