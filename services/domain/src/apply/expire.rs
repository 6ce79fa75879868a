//! Everything due at the ledger time: cooled addresses, claims past their TTL, old tombstones and request results.

use super::{Context, Decided, Decision, delete_claim, ending, invalid, request};
use crate::address::address;
use crate::command::Expire;
use crate::id::ClaimId;
use crate::outcome::Outcome;
use crate::planted::{self, Planted};
use crate::row::{AddressState, Change};

/// Rows of one `Expire`: a group of a few hundred kilobytes at most, applied in milliseconds.
const LIMIT_MAX: u32 = 4_096;

/// What is due. Slots differ between replicas, so rows that only a slot tells apart are all taken together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Cooling(u128),
    Claim(ClaimId),
    Tombstone { hash: u64, slot: u32 },
    Request { hash: u64, slot: u32 },
}

pub(super) fn decide(context: &Context, command: &Expire) -> Decided {
    if command.limit == 0 || command.limit > LIMIT_MAX {
        return Err(invalid(
            "limit",
            format!("is {}, 1 to {LIMIT_MAX} are allowed", command.limit),
        ));
    }
    let mut changes = Vec::new();
    let due = due(context, command.limit as usize);
    let rows = due.len() as u32;
    for (_, due) in due {
        expire(context, &mut changes, due);
    }
    match planted::has(Planted::ExpiryUnordered) {
        true => changes = unordered(changes),
        false => changes.sort_by(by_key),
    }
    Ok(Decision {
        changes,
        outcome: Outcome::Rows(rows),
    })
}

/// For [`Planted::ExpiryUnordered`]: as a hash map would have them.
fn unordered(changes: Vec<Change>) -> Vec<Change> {
    let map: std::collections::HashMap<usize, Change> = changes.into_iter().enumerate().collect();
    map.into_values().collect()
}

/// The rows due, oldest first.
fn due(context: &Context, limit: usize) -> Vec<(u64, Due)> {
    let ledger = context.ledger;
    let cooling = ledger
        .addresses
        .cooling()
        .map(|(at, number)| (at, Due::Cooling(number)));
    // While a recovery is open nobody knows whether a claim has a holder.
    let claims = ledger.claims_due().map(|(at, id)| (at, Due::Claim(id)));
    let tombstones = ledger.attachments.tombstones();
    let tombstones = tombstones.map(|(at, hash, slot)| (at, Due::Tombstone { hash, slot }));
    let requests = ledger.requests.due();
    let requests = requests.map(|(at, hash, slot)| (at, Due::Request { hash, slot }));
    let mut due = Vec::new();
    first(cooling, context.now_ms, limit, &mut due);
    first(claims, context.now_ms, limit, &mut due);
    first(tombstones, context.now_ms, limit, &mut due);
    first(requests, context.now_ms, limit, &mut due);
    due.sort_unstable();
    let cut = due
        .iter()
        .skip(limit)
        .position(|row| !ties(row, &due[limit - 1]));
    due.truncate(cut.map_or(due.len(), |cut| limit + cut));
    due
}

/// So many from one queue, and those that tie with the last of them.
fn first(
    queue: impl Iterator<Item = (u64, Due)>,
    now_ms: u64,
    limit: usize,
    due: &mut Vec<(u64, Due)>,
) {
    let start = due.len();
    for row in queue.take_while(|(at, _)| *at <= now_ms) {
        let taken = due.len() - start;
        if taken >= limit && !due.last().is_some_and(|last| ties(last, &row)) {
            break;
        }
        due.push(row);
    }
}

fn ties(one: &(u64, Due), other: &(u64, Due)) -> bool {
    one.0 == other.0
        && match (one.1, other.1) {
            (Due::Tombstone { hash: a, .. }, Due::Tombstone { hash: b, .. })
            | (Due::Request { hash: a, .. }, Due::Request { hash: b, .. }) => a == b,
            (a, b) => a == b,
        }
}

/// The same order on every replica: what slots say is replaced by what the rows say.
fn by_key(one: &Change, other: &Change) -> std::cmp::Ordering {
    match (one, other) {
        (
            Change::Tombstone {
                key: a,
                before: Some(x),
                ..
            },
            Change::Tombstone {
                key: b,
                before: Some(y),
                ..
            },
        ) => (x.expires_at_ms, a).cmp(&(y.expires_at_ms, b)),
        (
            Change::Request {
                principal: a,
                id: x,
                ..
            },
            Change::Request {
                principal: b,
                id: y,
                ..
            },
        ) => (a, x).cmp(&(b, y)),
        _ => kind(one).cmp(&kind(other)),
    }
}

fn kind(change: &Change) -> u8 {
    match change {
        Change::Tombstone { .. } => 1,
        Change::Request { .. } => 2,
        // In the order they became due; the sort is stable.
        _ => 0,
    }
}

fn expire(context: &Context, changes: &mut Vec<Change>, due: Due) {
    let ledger = context.ledger;
    match due {
        Due::Cooling(number) => changes.extend(cooled(context, number)),
        Due::Claim(id) => {
            if let Some(claim) = ledger.claim(id) {
                delete_claim::cool(context, changes, claim);
                changes.push(ending::removed(claim));
            }
        }
        Due::Tombstone { slot, .. } => {
            let row = ledger.attachments.at(slot);
            changes.extend(row.and_then(|row| {
                let before = Some(row.tombstone()?.clone());
                Some(Change::Tombstone {
                    key: row.key().clone(),
                    before,
                    after: None,
                })
            }));
        }
        Due::Request { slot, .. } => {
            changes.extend(ledger.requests.at(slot).map(|row| request::forgotten(row)));
        }
    }
}

/// Free again; or warm, if it still stands on an ENI of its node.
fn cooled(context: &Context, number: u128) -> Option<Change> {
    let address = address(number);
    let vswitch = context.ledger.vswitches.containing(number)?;
    let before = context.ledger.address_state(address)?;
    let after = match &before {
        AddressState::Cooling {
            node: Some(node),
            eni: Some(eni),
            ..
        } => AddressState::Idle {
            node: *node,
            eni: Some(eni.clone()),
        },
        _ => AddressState::Free {
            since: context.revision,
        },
    };
    Some(Change::address(vswitch, address, Some(before), Some(after)))
}

#[cfg(test)]
mod tests;
