//! What comes back: from the cloud how a call ended, from the journal what became of a report.

use super::{Errand, NOBODY, Out, State};
use crate::cloud::looks::Looking;
use crate::cloud::troubles::Troubles;
use crate::journal::Committed;
use berth_cloud::budget::{Heard, Lane, Ticket};
use berth_cloud::call::Action;
use berth_cloud::error::{Cause, Error};
use berth_cloud::reply::{Body, Reply};
use berth_domain::id::JobId;

// === impl State ===

impl State {
    /// How a call ended.
    pub fn on_answer(
        &mut self,
        (ticket, answer): (Ticket, Result<Reply, Error>),
        now_ms: u64,
        troubles: &mut Troubles,
        out: &mut Vec<Out>,
    ) {
        let Some(errand) = self.sent.remove(&ticket) else {
            return;
        };
        let action = errand.call().action();
        self.heard(action, (ticket, heard(&answer)), now_ms, troubles);
        match errand {
            Errand::Step { job, .. } => {
                if let Err(error) = &answer {
                    tracing::debug!(%job, %error, "a call did not succeed");
                }
                let moment = self.moment(now_ms);
                if let Some(conducting) = self.conducting.get_mut(&job) {
                    conducting.conductor.answered(answer, moment);
                    self.drive(job, now_ms, troubles, out);
                }
            }
            Errand::Audit(mut auditing) => match answer {
                Ok(Reply {
                    body: Body::Enis(page),
                    ..
                }) => {
                    auditing.enis.extend(page.items);
                    auditing.call.page = page.next;
                    match auditing.call.page {
                        Some(_) => self.ask(Errand::Audit(auditing), Lane::Look, NOBODY),
                        None => self.audited(auditing, now_ms, troubles, out),
                    }
                }
                _ => self.audits.failed(),
            },
            // The next audit shows what came of it.
            Errand::Remove(_) => {}
            Errand::Look(looking) => self.looked((looking, answer), now_ms, troubles, out),
        }
        self.send(now_ms, out);
    }

    fn heard(
        &mut self,
        action: Action,
        (ticket, heard): (Ticket, Heard),
        now_ms: u64,
        troubles: &mut Troubles,
    ) {
        let Some((level, why)) = self.budget.heard(action, heard, ticket.0, now_ms) else {
            return;
        };
        tracing::warn!(?level, why, "what is asked of the cloud changes");
        self.level_why = why;
        troubles.set_level(level);
    }

    /// A page; the last one is shown to all who wait.
    fn looked(
        &mut self,
        (mut looking, answer): (Looking, Result<Reply, Error>),
        now_ms: u64,
        troubles: &mut Troubles,
        out: &mut Vec<Out>,
    ) {
        let seen = match answer {
            Ok(Reply {
                body: Body::Enis(page),
                ..
            }) => {
                looking.enis.extend(page.items);
                if page.next.is_some() {
                    looking.call.page = page.next;
                    return self.ask_to_look(looking);
                }
                Ok(looking.enis)
            }
            Ok(_) => Err(unreadable()),
            Err(error) => Err(error),
        };
        let moment = self.moment(now_ms);
        for job in looking.jobs {
            if let Some(conducting) = self.conducting.get_mut(&job) {
                let seen = seen.as_deref().map_err(Clone::clone);
                conducting.conductor.seen(seen, moment);
                self.drive(job, now_ms, troubles, out);
            }
        }
    }

    /// What the journal says of a report. What the ledger took has come as a change already.
    pub fn on_committed(
        &mut self,
        (job, committed): (JobId, &Committed),
        now_ms: u64,
        troubles: &mut Troubles,
        out: &mut Vec<Out>,
    ) {
        let moment = self.moment(now_ms);
        if let Some(conducting) = self.conducting.get_mut(&job)
            && conducting.reporting.take().is_some()
        {
            tracing::debug!(%job, ?committed, "a report changed nothing");
            conducting.refused = None;
            conducting.conductor.not_reported(moment);
            self.drive(job, now_ms, troubles, out);
        }
        self.send(now_ms, out);
    }
}

fn heard(answer: &Result<Reply, Error>) -> Heard {
    match answer.as_ref().err().map(|error| error.cause) {
        Some(Cause::Throttled) => Heard::Throttled,
        Some(Cause::Unknown | Cause::Internal | Cause::NotTheCloud | Cause::NotSent) => {
            Heard::Failed
        }
        _ => Heard::Answered,
    }
}

/// A provider that answers a look with something else is no cloud.
fn unreadable() -> Error {
    Error {
        action: Action::DescribeNetworkInterfaces.name(),
        cause: Cause::NotTheCloud,
        code: String::new(),
        message: "the answer is not a list of ENIs".into(),
        call: None,
    }
}
