//! Makes a replica known, or changes where it listens. A wiped or foreign directory cannot pass for it.

use super::{Context, Decided, Decision, invalid};
use crate::command::{RegisterMember, Vote};
use crate::outcome::{Outcome, Refusal};
use crate::row::{Change, Member};
use std::sync::Arc;

pub(super) fn decide(context: &Context, command: &RegisterMember) -> Decided {
    let ledger = context.ledger;
    if command.cluster != *ledger.cluster() {
        let reason = format!(
            "{} is not this cluster's, which is {}",
            command.cluster,
            ledger.cluster()
        );
        return Err(invalid("cluster_id", reason));
    }
    let known = ledger.member(command.id);
    let exists = |name: String| {
        Err(Refusal::AlreadyExists {
            what: "member",
            name,
        })
    };
    if known.is_some_and(|member| member.store != command.store) {
        return exists(format!(
            "{} (with another store; join as a new member)",
            command.id
        ));
    }
    let same_store =
        |member: &&Arc<Member>| member.store == command.store && member.id != command.id;
    if let Some(other) = ledger.members().find(same_store) {
        return exists(format!("{} (with this store)", other.id));
    }
    let after = Member {
        id: command.id,
        name: command.name.clone(),
        client_endpoint: command.client_endpoint.clone(),
        peer_endpoint: command.peer_endpoint.clone(),
        store: command.store,
        stays_learner: match command.vote {
            Vote::AsKnown => known.is_some_and(|member| member.stays_learner),
            Vote::Withheld => true,
            Vote::Given => false,
        },
    };
    if known.is_some_and(|before| **before == after) {
        return Ok(Decision::nothing(Outcome::Done));
    }
    let change = Change::Member {
        id: command.id,
        before: known.cloned(),
        after: Some(Arc::new(after)),
    };
    Ok(Decision {
        changes: vec![change],
        outcome: Outcome::Done,
    })
}
