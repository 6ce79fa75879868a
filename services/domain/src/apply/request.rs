//! Requests with an id take effect once: a repeat gets the first answer, another command under the same id is refused.

use super::{Context, Decided, Decision, REQUEST_MS, REQUESTS_MAX, invalid};
use crate::command::{Proposal, digest};
use crate::ledger::requests::Request;
use crate::row::{Change, RequestResult};
use std::sync::Arc;

/// Decides unless the request was decided before; remembers a success.
pub(super) fn once(
    context: &Context,
    proposal: &Proposal,
    decide: impl FnOnce(&Context) -> Decided,
) -> Decided {
    if proposal.request_id.as_str().is_empty() {
        return decide(context);
    }
    let command = digest(&proposal.command);
    match context
        .ledger
        .request(&proposal.principal, &proposal.request_id)
    {
        Some(seen) if seen.command == command => Ok(Decision::nothing(seen.outcome.clone())),
        Some(_) => Err(invalid(
            "request_id",
            format!(
                "{} was used for another command: use a new id",
                proposal.request_id
            ),
        )),
        None => {
            let mut decision = decide(context)?;
            if !decision.changes.is_empty() {
                remember(context, proposal, command, &mut decision);
            }
            Ok(decision)
        }
    }
}

fn remember(context: &Context, proposal: &Proposal, command: [u8; 16], decision: &mut Decision) {
    let full = context.ledger.requests.len() >= REQUESTS_MAX;
    if let Some(oldest) = full.then(|| oldest(context)).flatten() {
        decision.changes.push(forgotten(&oldest));
    }
    decision.changes.push(Change::Request {
        principal: proposal.principal.clone(),
        id: proposal.request_id.clone(),
        before: None,
        after: Some(Arc::new(RequestResult {
            command,
            outcome: decision.outcome.clone(),
            expires_at_ms: context.now_ms.saturating_add(REQUEST_MS),
        })),
    });
}

/// A slot's number differs between replicas, so that of equals the smallest name decides.
fn oldest(context: &Context) -> Option<Arc<Request>> {
    let requests = &context.ledger.requests;
    let mut due = requests.due().peekable();
    let (first_ms, first_hash, _) = *due.peek()?;
    due.take_while(|(at, hash, _)| (*at, *hash) == (first_ms, first_hash))
        .filter_map(|(_, _, slot)| requests.at(slot))
        .min_by_key(|row| (&row.principal, &row.id))
        .cloned()
}

/// The change that forgets a request.
pub(super) fn forgotten(row: &Request) -> Change {
    Change::Request {
        principal: row.principal.clone(),
        id: row.id.clone(),
        before: Some(row.result.clone()),
        after: None,
    }
}
