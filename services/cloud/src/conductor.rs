//! The conductor of one job: which call or which look comes next, and what is said of it to the ledger.
//!
//! Pure: time, answers and the ledger's rows come in, [`Next`] goes out. It lives with the leader and is made anew from the job's
//! row by the next one; nothing that it remembers is needed to be safe. The rules of what may be concluded from a report are the
//! ledger's; here stands what may be reported:
//!
//! * A call is made without a look only if nobody can have made it before: at a step's first attempt, by the leader that
//!   brought the job to that step. Everybody else says first that the end of an earlier call is not known, and looks.
//! * What is there is reported at once. What is *not* there is believed only of a look that began [`SETTLE_MS`] after the step,
//!   because the cloud shows a state of some moments ago.
//! * A refusal after a call whose end is not known is reported only after a look.

mod answer;
mod look;
mod naming;
mod order;
mod refusal;
mod seen;
mod setting;

pub use look::Look;
pub use naming::{TAG_CLUSTER, TAG_ENI, TAG_JOB, tags_of_cluster};
pub use setting::Setting;

use crate::call::Call;
use crate::error::Error;
use crate::id::InstanceId;
use berth_domain::command::Report;
use berth_domain::row::{self, Step};
use std::net::IpAddr;
use std::sync::Arc;

/// What a look shows may be the state of some moments ago. The cloud names no bound; Terway waits for 5 s at most.
pub const SETTLE_MS: u64 = 10_000;
/// An attach, or a detach, is not looked at before: it takes 2 to 5 s (Terway waits as long).
const USUAL_MS: u64 = 3_000;
/// Between two looks at something that takes its time. An attach takes 2 to 5 s.
pub const LOOK_EVERY_MS: u64 = 1_000;
/// What has not come about after this long is begun anew.
pub const PATIENCE_MS: u64 = 120_000;
/// After the first failure in a row; doubled with each.
const REST_FIRST_MS: u64 = 500;
/// At most between two tries.
const REST_MAX_MS: u64 = 30_000;

/// See the module.
#[derive(Debug)]
pub struct Conductor {
    setting: Setting,
    job: Arc<row::Job>,
    eni: Arc<row::Eni>,
    /// A call of this step and attempt may have been made.
    may_have_been_made: bool,
    stage: Stage,
    /// Some of the step's addresses have come, and the others not: under its token the cloud knows the call with all of them.
    is_short: bool,
    /// In a row, at this step.
    failures: u32,
    /// Steps that were begun anew, and steps back, in the job's life with this leader.
    setbacks: u32,
    step_since_ms: u64,
    /// What the ENI is on, as the last look showed; none = it was not looked at.
    on: Option<InstanceId>,
    /// Of the step's addresses, those that the last look showed on the ENI; none = it was not looked at in this step.
    left: Option<Vec<IpAddr>>,
    trouble: Option<Error>,
}

/// Time, twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Monotonic, ms.
    pub now_ms: u64,
    /// The ledger's, ms.
    pub ledger_ms: u64,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make this call; then [`Conductor::answered`].
    Call(Box<Call>),
    /// Look at the cloud; then [`Conductor::seen`].
    Look(Look),
    /// Give this to the ledger, for [`Conductor::job`]'s step and attempt; then [`Conductor::moved`] or [`Conductor::not_reported`].
    Report(Report),
    /// Ask again at that monotonic time.
    Wait(u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing is under way.
    Ready,
    /// Nothing before that monotonic time.
    Resting(u64),
    /// The call may be made: a look has shown that it is not done.
    ToCall,
    /// A call is out.
    Calling,
    /// A look is due.
    ToLook(Why),
    /// A look is out that began then.
    Looking(Why, u64),
    /// A report is due.
    ToReport(Report),
    /// A report is out.
    Reporting,
}

/// Why a look is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// An earlier call may have done it.
    BeforeACall,
    /// It was begun, and takes its time.
    Waiting,
    /// The cloud refused.
    Refused(row::Cause),
    /// The cloud says that an address is somebody else's.
    WhoHasThem,
}

// === impl Conductor ===

impl Conductor {
    /// Of a job that this leader has begun.
    pub fn begun(setting: Setting, job: Arc<row::Job>, eni: Arc<row::Eni>, moment: Moment) -> Self {
        Self {
            may_have_been_made: job.attempt > 0,
            setting,
            job,
            eni,
            stage: Stage::Ready,
            is_short: false,
            failures: 0,
            setbacks: 0,
            step_since_ms: moment.now_ms,
            on: None,
            left: None,
            trouble: None,
        }
    }

    /// Of a job that was there when this leader began: an earlier one may have made the call.
    pub fn resumed(
        setting: Setting,
        job: Arc<row::Job>,
        eni: Arc<row::Eni>,
        moment: Moment,
    ) -> Self {
        let stage = match job.step.only_looks() {
            true => Stage::Ready,
            false => Stage::ToReport(Report::Unknown),
        };
        Self {
            may_have_been_made: true,
            stage,
            ..Self::begun(setting, job, eni, moment)
        }
    }

    /// Its job, as far as it knows.
    pub fn job(&self) -> &Arc<row::Job> {
        &self.job
    }

    /// Why it does not get on; none = it does.
    pub fn trouble(&self) -> Option<&Error> {
        self.trouble.as_ref()
    }

    /// What comes next; none = something is out, and is to come back first.
    pub fn next(&mut self, moment: Moment) -> Option<Next> {
        match std::mem::replace(&mut self.stage, Stage::Ready) {
            Stage::Ready => {
                self.stage = self.first(moment);
                self.next(moment)
            }
            Stage::Resting(until_ms) if moment.now_ms < until_ms => {
                self.stage = Stage::Resting(until_ms);
                Some(Next::Wait(until_ms))
            }
            Stage::Resting(_) => self.next(moment),
            Stage::ToCall => {
                self.stage = Stage::Calling;
                Some(Next::Call(Box::new(self.order())))
            }
            Stage::ToLook(why) => {
                self.stage = Stage::Looking(why, moment.now_ms);
                Some(Next::Look(self.look(why)))
            }
            Stage::ToReport(report) => {
                self.stage = Stage::Reporting;
                Some(Next::Report(report))
            }
            out @ (Stage::Calling | Stage::Looking(..) | Stage::Reporting) => {
                self.stage = out;
                None
            }
        }
    }

    /// The job's and ENI's rows are these now. A job that is gone has no conductor any more.
    pub fn moved(&mut self, job: Arc<row::Job>, eni: Arc<row::Eni>, moment: Moment) {
        let same_step = (job.step, job.attempt) == (self.job.step, self.job.attempt);
        let is_withdrawn = eni.state != self.eni.state;
        self.is_short =
            same_step && (self.is_short || job.addresses.len() < self.job.addresses.len());
        self.job = job;
        self.eni = eni;
        if same_step && matches!(self.stage, Stage::Reporting) {
            self.may_have_been_made = true;
            self.rest(moment);
        } else if !same_step || is_withdrawn && !self.is_out() {
            self.begin_step(moment, same_step);
        }
    }

    /// The ledger did not take the report, or nobody knows whether it did: looked at anew.
    pub fn not_reported(&mut self, moment: Moment) {
        self.may_have_been_made = true;
        self.rest(moment);
    }

    fn begin_step(&mut self, moment: Moment, same_step: bool) {
        if !same_step {
            self.may_have_been_made = self.job.attempt > 0;
            self.step_since_ms = moment.now_ms;
        }
        self.failures = 0;
        self.left = None;
        self.trouble = None;
        self.stage = match self.job.attempt {
            // What was refused or did not come about is not tried again at once.
            1.. => {
                self.setbacks = self.setbacks.saturating_add(1);
                self.failures = self.setbacks;
                Stage::Resting(moment.now_ms + self.pause_ms())
            }
            0 => Stage::Ready,
        };
    }

    /// A call or a look whose answer comes back to [`Self::answered`] or [`Self::seen`].
    fn is_out(&self) -> bool {
        matches!(self.stage, Stage::Calling | Stage::Looking(..))
    }

    fn first(&self, moment: Moment) -> Stage {
        match self.job.step {
            step if step.only_looks() => {
                // An unassign may not end before its doubt does, and what is shown until then changes nothing.
                let doubt = match step {
                    Step::AwaitUnassigned => self.doubt_ends_ms(moment),
                    _ => None,
                };
                let at_ms = doubt.unwrap_or(self.step_since_ms + self.first_look_ms());
                match moment.now_ms < at_ms {
                    true => Stage::Resting(at_ms),
                    false => Stage::ToLook(Why::Waiting),
                }
            }
            _ if self.may_have_been_made => Stage::ToLook(Why::BeforeACall),
            // It is not wanted any more, and nobody has asked for it yet.
            Step::Create if self.is_leaving() => {
                Stage::ToReport(refusal::report(row::Cause::Other, Vec::new()))
            }
            _ => Stage::ToCall,
        }
    }

    /// A look that comes sooner shows nothing that could be believed, or nothing yet.
    fn first_look_ms(&self) -> u64 {
        match self.job.step {
            Step::AwaitDeleted | Step::AwaitUnassigned => SETTLE_MS,
            // Whoever led before has waited.
            _ if self.may_have_been_made => 0,
            _ => USUAL_MS,
        }
    }

    fn is_leaving(&self) -> bool {
        self.eni.state == row::EniState::Leaving
    }

    /// Monotonic time of the end of the doubt; none = there is none.
    fn doubt_ends_ms(&self, moment: Moment) -> Option<u64> {
        let until_ms = self.job.doubt_until_ms?;
        let left_ms = until_ms.checked_sub(moment.ledger_ms)?;
        (left_ms > 0).then(|| moment.now_ms + left_ms)
    }

    fn rest(&mut self, moment: Moment) {
        self.failures = self.failures.saturating_add(1);
        self.stage = Stage::Resting(moment.now_ms + self.pause_ms());
    }

    /// Doubled with each failure, and spread by the job's number, so that many jobs do not come back at one moment.
    fn pause_ms(&self) -> u64 {
        let doublings = self.failures.saturating_sub(1).min(10);
        let pause_ms = (REST_FIRST_MS << doublings).min(REST_MAX_MS);
        pause_ms + self.job.id.0.wrapping_mul(0x9e37_79b9) % (pause_ms / 2)
    }
}
