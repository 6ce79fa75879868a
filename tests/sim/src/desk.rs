//! The callers' side of every call: whom to ask, how long to wait, what to do with an answer. What the shipped client does,
//! in moments.

use crate::answer::Answer;
use crate::call::{Body, Call, CallId, Delivery};
use crate::server::member_at;
use crate::wire::{Place, Wire};
use berth_domain::id::Revision;
use berth_raft::simulation::random::Random;
use berthd::failure::Failure;
use std::collections::BTreeMap;

/// A try that is not answered by then is made again, elsewhere.
const PATIENCE_MOMENTS: u64 = 60;
/// Between two tries that were told to wait.
const BACK_OFF_MOMENTS: u64 = 4;

/// A call with its tries.
struct Standing {
    call: Call,
    tries: Vec<(Delivery, u64)>,
}

/// How a call ended.
pub enum Ended {
    /// It has its answer.
    Answered(Answer),
    /// Nobody answered in time.
    GivenUp,
}

/// See the module.
pub struct Desk {
    moment_ms: u64,
    calls: BTreeMap<CallId, Standing>,
    last: CallId,
    /// Who answered last, by place.
    preferred: BTreeMap<Place, u64>,
}

// === impl Desk ===

impl Desk {
    /// Nobody calls.
    pub fn new(moment_ms: u64) -> Self {
        Self {
            moment_ms,
            calls: BTreeMap::new(),
            last: 0,
            preferred: BTreeMap::new(),
        }
    }

    /// A new call.
    pub fn call(
        &mut self,
        body: Body,
        node: Place,
        (begins, until): (u64, u64),
        floor: Revision,
    ) -> CallId {
        self.last += 1;
        let call = Call {
            body,
            node,
            until,
            target: self.preferred.get(&node).copied().unwrap_or(1),
            next_at: begins,
            floor,
        };
        let tries = Vec::new();
        self.calls.insert(self.last, Standing { call, tries });
        self.last
    }

    /// What is wanted by a call that goes on.
    pub fn get(&self, id: CallId) -> Option<&Call> {
        self.calls.get(&id).map(|standing| &standing.call)
    }

    /// All calls that go on.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.values().map(|standing| &standing.call)
    }

    /// A machine has stopped, and every caller on it; which calls those were.
    pub fn stopped(&mut self, node: usize) -> Vec<CallId> {
        let is_there = |standing: &Standing| standing.call.node == Some(node);
        let ended = self.calls.iter().filter(|(_, standing)| is_there(standing));
        let ended: Vec<CallId> = ended.map(|(id, _)| *id).collect();
        ended.iter().for_each(|id| {
            self.calls.remove(id);
        });
        ended
    }

    /// All servers are gone: what waits is asked again, of whoever comes.
    pub fn lost(&mut self, now: u64) {
        for standing in self.calls.values_mut() {
            standing.tries.clear();
            standing.call.next_at = standing.call.next_at.max(now);
        }
    }

    /// Nobody waits any more.
    pub fn drop_call(&mut self, id: CallId, now: u64, wire: &mut Wire, random: &mut Random) {
        if let Some(standing) = self.calls.remove(&id) {
            for (delivery, member) in standing.tries {
                wire.cancel(now, delivery, member, random);
            }
        }
    }

    /// Sends what is due; the calls that end without an answer.
    pub fn moment(
        &mut self,
        now: u64,
        members: &[u64],
        wire: &mut Wire,
        random: &mut Random,
    ) -> Vec<(CallId, Call)> {
        let mut over = Vec::new();
        for (id, standing) in &mut self.calls {
            let call = &mut standing.call;
            if now >= call.until || (call.node.is_some() && wire.gives_up(random)) {
                over.push(*id);
                continue;
            }
            if now < call.next_at {
                continue;
            }
            if !standing.tries.is_empty() {
                call.target = next(members, call.target, random);
            }
            let left_ms = (call.until - now) * self.moment_ms;
            let body = |delivery| call.body.stamped(delivery, left_ms);
            let delivery = wire.send(now, (call.node, *id, call.target), body, random);
            standing.tries.push((delivery, call.target));
            call.next_at = now + PATIENCE_MOMENTS;
        }
        over.into_iter()
            .filter_map(|id| {
                let call = self.calls.get(&id)?.call.clone();
                self.drop_call(id, now, wire, random);
                Some((id, call))
            })
            .collect()
    }

    /// An answer has arrived; the call, if that ends it.
    pub fn arrived(
        &mut self,
        (id, member): (CallId, u64),
        answer: Answer,
        (now, members): (u64, &[u64]),
        random: &mut Random,
    ) -> Option<(Call, Ended)> {
        let standing = self.calls.get_mut(&id)?;
        let call = &mut standing.call;
        let back_off = random.between(1, BACK_OFF_MOMENTS);
        match answer.failure() {
            Some(Failure::NotLeader { leader_endpoint }) => {
                let hint = leader_endpoint.as_deref().and_then(member_at);
                call.target = match hint {
                    Some(hint) => hint,
                    None => next(members, member, random),
                };
                call.next_at = now + back_off;
                standing.tries.clear();
                None
            }
            Some(
                Failure::Busy { .. }
                | Failure::Unavailable { .. }
                | Failure::Unknown { .. }
                | Failure::DiskLow { .. },
            ) => {
                call.target = member;
                call.next_at = now + back_off;
                standing.tries.clear();
                None
            }
            _ => {
                self.preferred.insert(call.node, member);
                let standing = self.calls.remove(&id)?;
                Some((standing.call, Ended::Answered(answer)))
            }
        }
    }
}

/// Any other one.
fn next(members: &[u64], not: u64, random: &mut Random) -> u64 {
    let others: Vec<u64> = members
        .iter()
        .copied()
        .filter(|member| *member != not)
        .collect();
    match others.is_empty() {
        true => members.first().copied().unwrap_or(not),
        false => others[random.below(others.len() as u64) as usize],
    }
}
