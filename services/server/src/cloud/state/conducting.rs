//! One job's way: the conductor says what comes next, and it is asked of the budget or proposed.

use super::{Conducting, Errand, Out, State};
use crate::cloud::troubles::Troubles;
use crate::node::message;
use berth_cloud::budget::Lane;
use berth_cloud::conductor::Next;
use berth_cloud::error::{Cause, Error};
use berth_domain::command::{AdvanceJob, Command, Report};
use berth_domain::id::{JobId, Principal};
use berth_domain::row::{Job, Work};
use std::sync::Arc;

// === impl State ===

impl State {
    /// Goes on with a job until it waits for something.
    pub(super) fn drive(
        &mut self,
        id: JobId,
        now_ms: u64,
        troubles: &mut Troubles,
        out: &mut Vec<Out>,
    ) {
        let moment = self.moment(now_ms);
        let Some(conducting) = self.conducting.get_mut(&id) else {
            return;
        };
        let next = conducting.conductor.next(moment);
        let job = Arc::clone(conducting.conductor.job());
        let (lane, trouble) = (conducting.lane, conducting.words());
        match next {
            None => {}
            // Somebody has taken its tag away: it is not ours to change.
            Some(Next::Call(call)) if troubles.is_left_alone(job.eni) => {
                let why = "the ENI has lost a tag that Berth's ENIs have: give it back, or end the ENI yourself";
                let error = Error::of(call.action().name(), Cause::NotSent, why);
                conducting.conductor.answered(Err(error), moment);
                return self.drive(id, now_ms, troubles, out);
            }
            Some(Next::Call(call)) => self.ask(Errand::Step { job: id, call }, lane, job.node.0),
            Some(Next::Look(look)) => self.looks.want(look, id, now_ms),
            Some(Next::Wait(at_ms)) => out.push(Out::WakeAt(at_ms.max(now_ms + 1))),
            Some(Next::Report(report)) => out.push(conducting.report(report)),
        }
        troubles.slow(&job, trouble);
    }
}

// === impl Conducting ===

impl Conducting {
    /// Refill until somebody says that pods wait; what goes back has time.
    pub(super) fn lane(work: Work) -> Lane {
        match work {
            Work::CreateEni | Work::Assign => Lane::Refill,
            Work::Unassign | Work::DeleteEni => Lane::Reclaim,
        }
    }

    /// Why it does not get on.
    fn words(&self) -> Option<String> {
        self.conductor.trouble().map(ToString::to_string)
    }

    fn report(&mut self, report: Report) -> Out {
        let job: &Job = self.conductor.job();
        let (id, step, attempt) = (job.id, job.step, job.attempt);
        self.reporting = Some((step, attempt));
        self.refused = match &report {
            Report::Refused { cause, .. } => {
                let words = self.words().unwrap_or_else(|| cause.to_string());
                Some((*cause, words))
            }
            _ => None,
        };
        let command = Command::AdvanceJob(AdvanceJob {
            job: id,
            step,
            attempt,
            report,
        });
        let principal = Principal::new("berthd/cloud").expect("plain"); // fixed text within the limit
        Out::Propose {
            proposal: message::proposal(&principal, None, None, command),
            job: id,
        }
    }
}
