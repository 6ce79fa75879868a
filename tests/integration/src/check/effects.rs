//! Every effect in the history has a call that explains it, and every call that was answered has its effect, once.

use super::Violation;
use super::order::Order;
use crate::record::{Answer, Attachment, Call, Group, Operation, Record, Row};
use crate::replay::Replay;
use std::collections::{BTreeMap, BTreeSet};

const PHANTOM: &str = "L1 nothing in the history without a call";
const LOST: &str = "R3 nothing acknowledged is lost";
const TWICE: &str = "A4 one effect of a retried call";

struct Effects<'a> {
    replay: &'a Replay,
    order: &'a Order,
    adds: BTreeMap<&'a str, Vec<&'a Operation>>,
    deletes: BTreeMap<&'a str, Vec<&'a Operation>>,
    collects: Vec<&'a Operation>,
    changes: BTreeMap<&'a str, Vec<&'a Operation>>,
}

pub(super) fn check(
    record: &Record,
    replay: &Replay,
    order: &Order,
    violations: &mut Vec<Violation>,
) {
    let effects = Effects::new(record, replay, order);
    for group in &replay.groups {
        let complaint = match group.cause.as_str() {
            "bind" => effects.bind(group),
            "release" => effects.release(group),
            "create-vswitch" | "register-node" | "create-claim" | "delete-claim" => {
                effects.change(group)
            }
            _ => None,
        };
        violations.extend(complaint);
    }
    for operation in &record.operations {
        violations.extend(effects.answered(operation));
    }
    violations.extend(effects.twice(record));
    effects.hand_overs(violations);
}

// === impl Effects ===

impl<'a> Effects<'a> {
    fn new(record: &'a Record, replay: &'a Replay, order: &'a Order) -> Self {
        let mut effects = Self {
            replay,
            order,
            adds: BTreeMap::new(),
            deletes: BTreeMap::new(),
            collects: Vec::new(),
            changes: BTreeMap::new(),
        };
        for operation in &record.operations {
            match &operation.call {
                Call::Add { attachment, .. } => {
                    effects
                        .adds
                        .entry(&attachment.key)
                        .or_default()
                        .push(operation);
                }
                Call::Delete { attachment } => {
                    effects
                        .deletes
                        .entry(&attachment.key)
                        .or_default()
                        .push(operation);
                }
                Call::Collect { .. } => effects.collects.push(operation),
                Call::Change { request_id, .. } => {
                    effects
                        .changes
                        .entry(request_id)
                        .or_default()
                        .push(operation);
                }
                Call::Read(_) => {}
            }
        }
        effects
    }

    /// Whether this call may be what made the group: it was not surely in vain, and did not begin too late.
    fn may_have(&self, operation: &Operation, group: &Group) -> bool {
        !operation.surely_nothing() && self.order.floor(operation) < group.revision
    }

    fn bind(&self, group: &Group) -> Option<Violation> {
        let bound = rows(group, "allocation").find(|row| !row.after.is_empty())?;
        let made = self.replay.allocation(&bound.key, group.revision)?;
        // A later ADD of the same sandbox is noted, and told what it has.
        let is_noted = bound.before == bound.after;
        let calls = self.adds.get(bound.key.as_str()).into_iter().flatten();
        let mut fitting = calls.filter(|operation| {
            let Call::Add { attachment, .. } = &operation.call else {
                return false;
            };
            let says = match &operation.answer {
                Answer::Bound {
                    generation,
                    created: true,
                    ..
                } => *generation == group.revision,
                // It found what an earlier try, its own perhaps, had made.
                Answer::Bound { .. } => is_noted || operation.several,
                _ => true,
            };
            attachment.pod == made.pod
                && attachment.node == made.node
                && says
                && self.may_have(operation, group)
        });
        if fitting.next().is_none() {
            let what = format!("revision {}: {} {}", group.revision, bound.key, bound.after);
            return Some(Violation::new(PHANTOM, what));
        }
        // Others that end here must be the same pod's older sandboxes on this node.
        let ended = rows(group, "allocation").filter(|row| row.after.is_empty());
        for row in ended {
            let before = self.replay.allocation(&row.key, group.revision - 1);
            if !before.is_some_and(|old| old.pod == made.pod && old.node == made.node) {
                let what = format!(
                    "revision {}: {} ends {}",
                    group.revision, bound.key, row.key
                );
                return Some(Violation::new(
                    "A7 only its own older sandbox is ended by an ADD",
                    what,
                ));
            }
        }
        None
    }

    fn release(&self, group: &Group) -> Option<Violation> {
        let rows = group
            .rows
            .iter()
            .filter(|row| matches!(row.kind.as_str(), "allocation" | "tombstone"));
        for row in rows {
            let calls = self.deletes.get(row.key.as_str()).into_iter().flatten();
            let mut deleted = calls.filter(|operation| self.may_have(operation, group));
            let collected = || {
                let node = row
                    .before
                    .rsplit_once(", generation ")
                    .and_then(|(rest, _)| rest.rsplit_once(" on "));
                self.collects.iter().any(|operation| {
                    let Call::Collect { node: of, valid } = &operation.call else {
                        return false;
                    };
                    let here = row.kind == "tombstone" || node.is_some_and(|(_, node)| node == of);
                    here && !valid.contains(&row.key) && self.may_have(operation, group)
                })
            };
            if deleted.next().is_none() && !collected() {
                let what = format!("revision {}: {row:?}", group.revision);
                return Some(Violation::new(PHANTOM, what));
            }
        }
        None
    }

    fn change(&self, group: &Group) -> Option<Violation> {
        let calls = self
            .changes
            .get(group.request_id.as_str())
            .into_iter()
            .flatten();
        let mut fitting = calls.filter(|operation| self.may_have(operation, group));
        if fitting.next().is_some() {
            return None;
        }
        let what = format!(
            "revision {}: {} {:?}",
            group.revision, group.cause, group.rows
        );
        Some(Violation::new(PHANTOM, what))
    }

    /// What an answer says was done is there.
    fn answered(&self, operation: &Operation) -> Option<Violation> {
        let lost = |why: String| Some(Violation::new(LOST, format!("{why}: {operation:?}")));
        match (&operation.call, &operation.answer) {
            (
                Call::Add { attachment, .. },
                Answer::Bound {
                    addresses,
                    generation,
                    revision,
                    created,
                    ..
                },
            ) => {
                let Some(bound) = self.replay.allocation(&attachment.key, *revision) else {
                    return lost(format!("at revision {revision} nothing is bound"));
                };
                if bound.addresses != *addresses || bound.generation != *generation {
                    return lost(format!("at revision {revision} it is {bound:?}"));
                }
                (*created && revision != generation).then(|| {
                    Violation::new(TWICE, format!("created at another revision: {operation:?}"))
                })
            }
            (
                Call::Delete { attachment },
                Answer::Released {
                    revision,
                    released: true,
                },
            ) => {
                let before = self.replay.allocation(&attachment.key, revision - 1);
                let after = self.replay.allocation(&attachment.key, *revision);
                if before.is_none() || after.is_some() {
                    return lost(format!("revision {revision} does not release it"));
                }
                None
            }
            (Call::Change { request_id, write }, Answer::Done { revision }) => {
                // A node that is as it was takes no revision.
                let may_be_nothing = matches!(write, crate::record::Write::RegisterNode { .. });
                let mut groups = self.replay.groups.iter();
                let made = groups.find(|group| group.request_id == *request_id);
                match made {
                    None if may_be_nothing => None,
                    Some(group) if group.revision <= *revision => None,
                    _ => lost(format!("no group up to {revision} has its request id")),
                }
            }
            _ => None,
        }
    }

    /// Each invocation has one effect at most; so has each request id.
    fn twice(&self, record: &Record) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut binds: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        let mut requests: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for group in &self.replay.groups {
            if group.cause == "bind" {
                for row in rows(group, "allocation").filter(|row| !row.after.is_empty()) {
                    binds.entry(&row.key).or_default().push(group.revision);
                }
            }
            if !group.request_id.is_empty() {
                requests
                    .entry(&group.request_id)
                    .or_default()
                    .push(group.revision);
            }
        }
        for (key, revisions) in binds {
            let calls = self.adds.get(key).into_iter().flatten();
            let invocations: BTreeSet<(&str, u64)> = calls
                .filter_map(|operation| match &operation.call {
                    Call::Add {
                        attachment:
                            Attachment {
                                boot,
                                invoked_at_ms,
                                ..
                            },
                        ..
                    } => Some((boot.as_str(), *invoked_at_ms)),
                    _ => None,
                })
                .collect();
            if revisions.len() > invocations.len() {
                let what = format!(
                    "{key} is bound at {revisions:?} by {} ADDs",
                    invocations.len()
                );
                violations.push(Violation::new(TWICE, what));
            }
        }
        for (id, revisions) in requests
            .into_iter()
            .filter(|(_, revisions)| revisions.len() > 1)
        {
            violations.push(Violation::new(
                TWICE,
                format!("request {id} at {revisions:?}"),
            ));
        }
        let mut seen = BTreeMap::new();
        for operation in &record.operations {
            let own = match operation.answer {
                Answer::Bound {
                    created: true,
                    revision,
                    ..
                }
                | Answer::Released {
                    released: true,
                    revision,
                } => revision,
                _ => continue,
            };
            if let Some(other) = seen.insert(own, operation) {
                let what = format!("revision {own} was made by {other:?} and by {operation:?}");
                violations.push(Violation::new(TWICE, what));
            }
        }
        violations
    }

    /// After a DEL without an agent a static address settles before somebody else has it.
    fn hand_overs(&self, violations: &mut Vec<Violation>) {
        for hand_over in &self.replay.hand_overs {
            let (Some(released), Some(bound)) = (
                self.replay.group(hand_over.released),
                self.replay.group(hand_over.bound),
            ) else {
                continue;
            };
            let by_delete = released.cause == "release"
                && rows(released, "allocation").all(|row| !self.may_be_collected(row, released));
            if by_delete && bound.ledger_time_ms < released.ledger_time_ms + SETTLES_MS {
                let what = format!("{hand_over:?}");
                violations.push(Violation::new("A3 a static address settles", what));
            }
        }
    }

    fn may_be_collected(&self, row: &Row, group: &Group) -> bool {
        self.collects.iter().any(|operation| match &operation.call {
            Call::Collect { valid, .. } => {
                !valid.contains(&row.key) && self.may_have(operation, group)
            }
            _ => false,
        })
    }
}

/// Some plugins call the DEL before they take the link away (design §6).
const SETTLES_MS: u64 = 2_000;

fn rows<'a>(group: &'a Group, kind: &'a str) -> impl Iterator<Item = &'a Row> {
    group.rows.iter().filter(move |row| row.kind == kind)
}
