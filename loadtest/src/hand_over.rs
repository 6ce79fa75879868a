//! How long callers wait while the leader changes: by request, or because it was killed.
//!
//! A few callers send ADD after ADD, as agents do, and repeat within their deadline. Nobody measures the cluster itself.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use berth_proto::v1::{
    AllocateResponse, ClusterStatusRequest, ClusterStatusResponse, TransferLeadershipRequest,
};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep};

use crate::Error;
use crate::book::Book;
use crate::setup::{self, Prepared, Wanted, failed};
use crate::target;

/// Each has one ADD under way: the wait of one caller does not hide another's.
const CALLERS: usize = 4;
/// Between two ADDs of a caller: the error of what is measured.
const PAUSE: Duration = Duration::from_millis(2);
/// What a runtime gives an ADD; callers repeat within it.
const DEADLINE: Duration = Duration::from_secs(15);
/// Answers that were on their way when the leader was killed arrive in this time. No election is so short.
const ON_THE_WAY: Duration = Duration::from_millis(5);
/// ADDs that began so long after a hand-over was answered do not suffer from it any more.
const AFTER: Duration = Duration::from_millis(500);
/// Between two cycles, so that each begins in a calm cluster.
const CALM: Duration = Duration::from_millis(500);
/// A cluster that has not all its members back in this time is broken.
const WHOLE_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const CIDR: &str = "10.0.0.0/12";

/// How the leader changes.
#[derive(Clone, Debug)]
pub enum Way {
    /// It is asked to hand over.
    Asked,
    /// SIGKILL to the process that serves the leading endpoint.
    Killed(BTreeMap<String, i32>),
}

/// What to do.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// Client endpoints of all members.
    pub endpoints: Vec<String>,
    /// How.
    pub way: Way,
    /// How often.
    pub cycles: u32,
}

/// One change of the leader.
#[derive(Clone, Debug, Serialize)]
pub struct Cycle {
    /// Who led before.
    pub from: String,
    /// Killed: from the signal to the next ADD that succeeded. Asked: the slowest ADD around it.
    pub wait_ms: f64,
    /// Asked: from the question to the answer that another leads.
    pub answered_ms: Option<f64>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct HandedOver {
    /// "asked" or "killed".
    pub way: &'static str,
    /// In order.
    pub cycles: Vec<Cycle>,
    /// ADDs answered with an address.
    pub allocations: u64,
    /// ADDs that did not succeed within their deadline, by what they were told last. Must be none.
    pub failed: BTreeMap<String, u64>,
    /// Addresses that were given twice. Must be 0.
    pub duplicates: u64,
}

/// What the callers saw.
#[derive(Default)]
struct Seen {
    /// When each ADD that succeeded was sent first, and when it was answered; in the order of the answers.
    succeeded: Vec<(Instant, Instant)>,
    failed: BTreeMap<String, u64>,
    book: Book,
}

#[derive(Clone)]
struct Callers {
    prepared: Arc<Prepared>,
    seen: Rc<RefCell<Seen>>,
    next: Rc<Cell<u64>>,
}

/// Waits until all members are there, then changes the leader again and again.
pub fn measure(plan: &HandOver) -> Result<HandedOver, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, measured(plan))
}

async fn measured(plan: &HandOver) -> Result<HandedOver, Error> {
    let wanted = Wanted {
        prefix: setup::PREFIX,
        cidrs: &[CIDR.to_owned()],
        nodes: CALLERS as u32,
        warm_target: 0,
        cooling_ms: 0,
        seed: 1,
        facts: None,
    };
    let callers = Callers {
        prepared: Arc::new(setup::prepare(&plan.endpoints, wanted).await?),
        seen: Rc::default(),
        next: Rc::default(),
    };
    let mut calling = JoinSet::new();
    for _ in 0..CALLERS {
        calling.spawn_local(callers.clone().call());
    }
    let mut cycles = Vec::new();
    for _ in 0..plan.cycles {
        let leader = callers.whole(plan.endpoints.len()).await?;
        sleep(CALM).await;
        cycles.push(match &plan.way {
            Way::Asked => callers.asked(leader).await?,
            Way::Killed(victims) => callers.killed(leader, victims).await?,
        });
    }
    calling.shutdown().await;
    let seen = callers.seen.borrow();
    Ok(HandedOver {
        way: match plan.way {
            Way::Asked => "asked",
            Way::Killed(_) => "killed",
        },
        cycles,
        allocations: seen.book.counts().allocations,
        failed: seen.failed.clone(),
        duplicates: seen.book.counts().duplicates,
    })
}

// === impl Seen ===

impl Seen {
    fn answered(
        &mut self,
        holder: &str,
        begun: Instant,
        answer: Result<AllocateResponse, berth_client::Error>,
    ) {
        match answer {
            Ok(answer) => {
                let addresses = answer.addresses.into_iter();
                let addresses: Vec<_> = addresses.map(|given| given.address).collect();
                self.book.acquired(holder, &addresses);
                self.succeeded.push((begun, Instant::now()));
            }
            Err(error) => *self.failed.entry(error.to_string()).or_default() += 1,
        }
    }
}

// === impl Callers ===

impl Callers {
    /// One caller, until it is aborted.
    async fn call(self) {
        let client = self.prepared.client.within(DEADLINE);
        loop {
            let number = self.next.replace(self.next.get() + 1);
            let request = target::request(&self.prepared, number);
            let holder = target::container_id(self.prepared.run, number);
            let begun = Instant::now();
            let answer = client.allocate(request).await;
            self.seen.borrow_mut().answered(&holder, begun, answer);
            sleep(PAUSE).await;
        }
    }

    /// The leader's endpoint, once it has heard of every member and all have what it has.
    async fn whole(&self, members: usize) -> Result<String, Error> {
        let until = Instant::now() + WHOLE_WITHIN;
        let mut last = None;
        while Instant::now() < until {
            for (endpoint, client) in self.prepared.client.within(DEADLINE).each() {
                let status = client.cluster_status(ClusterStatusRequest::default()).await;
                let status = status.unwrap_or_default();
                if status.role == "leader" {
                    if is_whole(&status, members) {
                        return Ok(endpoint);
                    }
                    last = Some(status);
                }
            }
            sleep(LOOK_EVERY).await;
        }
        let reason = format!("not all {members} members are there: {last:?}");
        let endpoints = self.prepared.leader.clone();
        Err(Error::Unreachable { endpoints, reason })
    }

    async fn killed(&self, from: String, victims: &BTreeMap<String, i32>) -> Result<Cycle, Error> {
        let unknown = |reason: &str| Error::Unreachable {
            endpoints: from.clone(),
            reason: reason.to_owned(),
        };
        let process = victims.get(&from).copied().and_then(Pid::from_raw);
        let process = process.ok_or_else(|| unknown("it leads, and --kill does not name it"))?;
        let at = Instant::now();
        let killed = kill_process(process, Signal::KILL);
        killed.map_err(|error| unknown(&format!("it cannot be killed: {error}")))?;
        let until = at + WHOLE_WITHIN;
        while Instant::now() < until {
            if let Some(answered) = first_after(&self.seen.borrow().succeeded, at + ON_THE_WAY) {
                let wait_ms = milliseconds(answered - at);
                return Ok(Cycle {
                    from,
                    wait_ms,
                    answered_ms: None,
                });
            }
            sleep(PAUSE).await;
        }
        Err(unknown("it was killed, and no ADD succeeds any more"))
    }

    async fn asked(&self, from: String) -> Result<Cycle, Error> {
        let request = TransferLeadershipRequest {
            to_member_id: 0,
            reason: "load test".to_owned(),
        };
        let at = Instant::now();
        let asked = self.prepared.client.within(DEADLINE);
        let asked = asked.transfer_leadership(request).await;
        asked.map_err(|source| failed("hand over", source))?;
        let answered = Instant::now();
        sleep(AFTER + DEADLINE.min(AFTER)).await;
        let slowest = slowest_between(&self.seen.borrow().succeeded, at, answered + AFTER);
        Ok(Cycle {
            from,
            wait_ms: milliseconds(slowest),
            answered_ms: Some(milliseconds(answered - at)),
        })
    }
}

fn is_whole(status: &ClusterStatusResponse, members: usize) -> bool {
    let is_there = |member: &berth_proto::v1::Member| {
        member.recently_active && member.matched_index + CALLERS as u64 * 2 >= status.commit_index
    };
    status.members.len() == members && status.members.iter().all(is_there)
}

/// When the first ADD was answered after that.
fn first_after(succeeded: &[(Instant, Instant)], at: Instant) -> Option<Instant> {
    let answered = succeeded.iter().map(|(_, answered)| *answered);
    answered.filter(|answered| *answered > at).min()
}

/// Of all ADDs that were under way between these.
fn slowest_between(succeeded: &[(Instant, Instant)], from: Instant, until: Instant) -> Duration {
    let under_way = |(begun, answered): &&(Instant, Instant)| *answered >= from && *begun <= until;
    let took = succeeded.iter().filter(under_way);
    took.map(|(begun, answered)| *answered - *begun)
        .max()
        .unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

// === impl HandedOver ===

impl HandedOver {
    /// Whether no ADD failed and no address was given twice.
    pub fn holds(&self) -> bool {
        self.failed.is_empty() && self.duplicates == 0 && self.allocations > 0
    }

    /// For people.
    pub fn text(&self) -> String {
        let cycle = |cycle: &Cycle| format!("{:.0} ms from {}\n", cycle.wait_ms, cycle.from);
        let cycles: String = self.cycles.iter().map(cycle).collect();
        format!(
            "{}, waited:\n{cycles}{} ADDs, failed {:?}, duplicates {}\n",
            self.way, self.allocations, self.failed, self.duplicates
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: an answer that was on its way when the leader died does not end the wait; one that began before and was
    /// answered long after counts for a hand-over.
    #[tokio::test(start_paused = true)]
    async fn waits_are_found() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let succeeded = [
            (at(0), at(10)),
            (at(95), at(103)),
            (at(99), at(950)),
            (at(952), at(954)),
        ];
        assert_eq!(first_after(&succeeded, at(100) + ON_THE_WAY), Some(at(950)));
        assert_eq!(first_after(&succeeded, at(960)), None);
        let slowest = |from, until| slowest_between(&succeeded, at(from), at(until));
        assert_eq!(slowest(100, 200), Duration::from_millis(851));
        assert_eq!(slowest(951, 960), Duration::from_millis(2));
        assert_eq!(slowest(20, 30), Duration::ZERO);
    }
}
