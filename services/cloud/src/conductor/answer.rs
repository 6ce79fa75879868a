//! A call came back.

use super::refusal::{self, Meaning};
use super::{Conductor, Moment, Stage, Why};
use crate::error::Error;
use crate::reply::{Body, Reply};
use berth_domain::command::Report;
use berth_domain::row::{Cause, Step};
use std::net::IpAddr;

// === impl Conductor ===

impl Conductor {
    /// What came of a [`super::Next::Call`].
    pub fn answered(&mut self, answer: Result<Reply, Error>, moment: Moment) {
        if self.stage != Stage::Calling {
            return;
        }
        match answer {
            Ok(reply) => {
                self.trouble = None;
                self.may_have_been_made = true;
                self.stage = match self.heard(&reply.body) {
                    Some(report) => Stage::ToReport(report),
                    None => Stage::ToLook(Why::BeforeACall),
                };
            }
            Err(error) => self.failed(error, moment),
        }
    }

    /// What the cloud's own answer says; none if a look has to say it.
    fn heard(&self, body: &Body) -> Option<Report> {
        let (step, asked) = (self.job.step, self.of_step());
        let ours = |there: Vec<IpAddr>| there.into_iter().filter(|at| asked.contains(at)).collect();
        match (step, body) {
            (Step::Create, Body::Created(eni)) => {
                // Short of some the answer may be from before the cloud had listed them.
                self.created(eni).filter(|_| self.is_whole(eni))
            }
            (Step::AssignIpv4, Body::Assigned4(there)) => Some(Report::Assigned {
                addresses: ours(there.iter().copied().map(IpAddr::V4).collect()),
            }),
            (Step::AssignIpv6, Body::Assigned6(there)) => Some(Report::Assigned {
                addresses: ours(there.iter().copied().map(IpAddr::V6).collect()),
            }),
            (Step::Create | Step::AssignIpv4 | Step::AssignIpv6, _) => None,
            _ => Some(Report::Accepted),
        }
    }

    fn failed(&mut self, error: Error, moment: Moment) {
        let meaning = refusal::meaning(error.cause);
        self.trouble = Some(error);
        match meaning {
            Meaning::Passing => self.rest(moment),
            Meaning::Unknown => {
                self.may_have_been_made = true;
                self.stage = Stage::ToReport(Report::Unknown);
            }
            Meaning::Refused(cause) => {
                // A look needs nothing of the cloud but a list; without one an earlier call's effect would be given up.
                self.stage = match cause {
                    Cause::AddressTaken => Stage::ToLook(Why::WhoHasThem),
                    Cause::WrongState => Stage::ToLook(Why::Refused(cause)),
                    _ if self.may_have_been_made => Stage::ToLook(Why::Refused(cause)),
                    _ => Stage::ToReport(refusal::report(cause, Vec::new())),
                };
            }
        }
    }
}
