//! The CloudActor without its actor: conductors by job, the budget, the looks, and what is out.
//!
//! Pure: time and answers come in with each call, and what is to be done goes out through [`Out`].

mod answers;
mod audit;
mod conducting;
mod rows;

use super::looks::{Looking, Looks};
use super::troubles::Troubles;
use crate::journal::LedgerClock;
use crate::router::View;
use audit::{Auditing, Audits};
use berth_cloud::Call;
use berth_cloud::budget::{self, Budget, Lane, Level, Limits, Ticket};
use berth_cloud::call::Action;
use berth_cloud::conductor::{Conductor, Moment};
use berth_cloud::id::{CloudVSwitchId, InstanceId};
use berth_domain::command::Proposal;
use berth_domain::id::*;
use berth_domain::row::{Cause, Eni, NodePool, Step};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose budget a look of many is.
const NOBODY: u64 = 0;

/// What is to be done.
#[derive(Debug)]
pub enum Out {
    /// Make this call and bring back how it ended.
    Send {
        /// Comes back with the answer.
        ticket: Ticket,
        /// Which.
        call: Box<Call>,
    },
    /// Give this to the journal and bring back what came of it.
    Propose {
        /// The report.
        proposal: Proposal,
        /// Comes back with the answer.
        job: JobId,
    },
    /// Call [`State::on_wake`] at that monotonic time.
    WakeAt(u64),
}

/// Calls that went out in this term and those that may go out in a minute, by action.
pub type Calls = BTreeMap<&'static str, (u64, u32)>;

/// How it stands.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// What is done in the cloud.
    pub level: Level,
    /// Why it is not everything.
    pub why: String,
    /// Calls that wait for the budget, by lane.
    pub waiting: BTreeMap<Lane, usize>,
    /// Calls that are out.
    pub out: usize,
    /// Jobs that are conducted.
    pub jobs: usize,
    /// See [`Calls`].
    pub calls: Calls,
}

/// See the module.
#[derive(Debug)]
pub struct State {
    cluster: ClusterId,
    clock: LedgerClock,
    /// Also of nodes that are gone: their ENIs are still on them.
    instances: BTreeMap<NodeId, InstanceId>,
    vswitches: BTreeMap<VSwitchId, CloudVSwitchId>,
    enis: BTreeMap<EniNumber, Arc<Eni>>,
    pools: BTreeMap<NodePoolId, Arc<NodePool>>,
    /// Of nodes in one.
    pool_of: BTreeMap<NodeId, NodePoolId>,
    conducting: BTreeMap<JobId, Conducting>,
    budget: Budget,
    looks: Looks,
    /// What waits for the budget.
    asked: BTreeMap<Ticket, Errand>,
    /// What is out.
    sent: BTreeMap<Ticket, Errand>,
    audits: Audits,
    /// Numbers tickets.
    number: u64,
    level_why: String,
    /// Calls that went out.
    calls: BTreeMap<Action, u64>,
}

/// What a call is for.
#[derive(Debug)]
enum Errand {
    Step {
        job: JobId,
        call: Box<Call>,
    },
    Look(Looking),
    Audit(Auditing),
    /// An orphan goes.
    Remove(Box<Call>),
}

#[derive(Debug)]
struct Conducting {
    conductor: Conductor,
    lane: Lane,
    /// The step and attempt whose report is in the journal.
    reporting: Option<(Step, u32)>,
    /// The last report was a refusal.
    refused: Option<(Cause, String)>,
}

// === impl State ===

impl State {
    /// Goes on with every job that there is: an earlier leader may have made its call. Without ENIs in the cloud nothing is audited.
    pub fn new(
        cluster: ClusterId,
        clock: LedgerClock,
        view: &View,
        (limits, makes_enis): (Limits, bool),
        now_ms: u64,
    ) -> Self {
        let mut state = Self {
            cluster,
            clock,
            instances: BTreeMap::new(),
            vswitches: BTreeMap::new(),
            enis: BTreeMap::new(),
            pools: BTreeMap::new(),
            pool_of: BTreeMap::new(),
            conducting: BTreeMap::new(),
            budget: Budget::new(limits),
            looks: Looks::default(),
            asked: BTreeMap::new(),
            sent: BTreeMap::new(),
            audits: Audits::new(makes_enis.then_some(now_ms)),
            number: 0,
            level_why: String::new(),
            calls: BTreeMap::new(),
        };
        state.resume(view, now_ms);
        state
    }

    /// A time has come.
    pub fn on_wake(&mut self, now_ms: u64, troubles: &mut Troubles, out: &mut Vec<Out>) {
        let jobs: Vec<JobId> = self.conducting.keys().copied().collect();
        for job in jobs {
            self.drive(job, now_ms, troubles, out);
        }
        self.send(now_ms, out);
    }

    /// Pods wait for what this job brings.
    pub fn on_urgent(&mut self, job: JobId) {
        if let Some(conducting) = self.conducting.get_mut(&job) {
            conducting.lane = Lane::WaitingPod;
        }
    }

    /// Sends what the budget grants, and says when to look again.
    fn send(&mut self, now_ms: u64, out: &mut Vec<Out>) {
        self.audit(now_ms);
        for looking in self.looks.take(now_ms) {
            self.ask_to_look(looking);
        }
        for ticket in self.budget.grant(now_ms) {
            let Some(errand) = self.asked.remove(&ticket) else {
                continue;
            };
            let call = errand.call();
            *self.calls.entry(call.action()).or_default() += 1;
            self.sent.insert(ticket, errand);
            out.push(Out::Send { ticket, call });
        }
        let due = [
            self.looks.due_ms(),
            self.budget.next_due_ms(now_ms),
            self.audits.due_ms(),
        ];
        // One ms on, so that the time is there whichever way it was rounded.
        out.extend(
            due.into_iter()
                .flatten()
                .map(|at_ms| Out::WakeAt(at_ms.max(now_ms + 1))),
        );
    }

    fn ask_to_look(&mut self, looking: Looking) {
        let of = |job: &JobId| self.conducting.get(job).map(|conducting| conducting.lane);
        // As urgent as the first of those who wait for it.
        let lane = looking.jobs.iter().filter_map(of).min();
        self.ask(Errand::Look(looking), lane.unwrap_or(Lane::Look), NOBODY);
    }

    fn ask(&mut self, errand: Errand, lane: Lane, owner: u64) {
        self.number += 1;
        let ticket = Ticket(self.number);
        self.budget.ask(budget::Ask {
            ticket,
            action: errand.call().action(),
            lane,
            owner,
        });
        self.asked.insert(ticket, errand);
    }

    fn moment(&self, now_ms: u64) -> Moment {
        Moment {
            now_ms,
            ledger_ms: self.clock.ledger_ms(now_ms),
        }
    }

    /// How it stands.
    pub fn observe(&self) -> Observation {
        Observation {
            level: self.budget.level(),
            why: self.level_why.clone(),
            waiting: self.budget.waiting(),
            out: self.sent.len(),
            jobs: self.conducting.len(),
            calls: Calls::new(),
        }
    }

    /// The same, with the calls.
    pub fn look(&mut self) -> Observation {
        let mut observed = self.observe();
        for (action, count) in &self.calls {
            let per_minute = self.budget.per_minute(*action);
            observed.calls.insert(action.name(), (*count, per_minute));
        }
        observed
    }
}

// === impl Errand ===

impl Errand {
    fn call(&self) -> Box<Call> {
        match self {
            Self::Step { call, .. } => call.clone(),
            Self::Look(looking) => Box::new(Call::DescribeNetworkInterfaces(looking.call.clone())),
            Self::Audit(auditing) => {
                Box::new(Call::DescribeNetworkInterfaces(auditing.call.clone()))
            }
            Self::Remove(call) => call.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
