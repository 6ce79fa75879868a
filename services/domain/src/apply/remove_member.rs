//! Forgets a replica.

use super::{Context, Decided, Decision};
use crate::command::RemoveMember;
use crate::outcome::{Outcome, Refusal};
use crate::row::Change;

pub(super) fn decide(context: &Context, command: &RemoveMember) -> Decided {
    let Some(before) = context.ledger.member(command.id) else {
        let name = command.id.to_string();
        return Err(Refusal::NotFound {
            what: "member",
            name,
        });
    };
    let change = Change::Member {
        id: command.id,
        before: Some(before.clone()),
        after: None,
    };
    Ok(Decision {
        changes: vec![change],
        outcome: Outcome::Done,
    })
}
