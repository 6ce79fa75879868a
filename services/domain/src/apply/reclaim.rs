//! A node's warm addresses become free.

use super::bind::addresses::is_ours;
use super::{Context, Decided, Decision, given, recovering};
use crate::command::Reclaim;
use crate::outcome::{Outcome, Refusal};
use crate::row::{AddressState, Change};

pub(super) fn decide(context: &Context, command: &Reclaim) -> Decided {
    given::distinct(&command.addresses)?;
    let vswitch = &context.vswitch(command.vswitch)?.row;
    context.node(command.node)?;
    let mut changes = Vec::with_capacity(command.addresses.len());
    for address in &command.addresses {
        given::in_range(vswitch, *address)?;
        let before = context.ledger.address_state(*address);
        match &before {
            // Its node has not said whether it is warm still.
            // What is on an ENI of ours leaves it by a job first.
            Some(AddressState::Idle { node, eni })
                if *node == command.node && !is_ours(context, *node, eni.as_ref()) =>
            {
                recovering::none_open(context)?;
            }
            _ => return Err(Refusal::Taken { address: *address }),
        }
        let after = AddressState::Free {
            since: context.revision,
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
