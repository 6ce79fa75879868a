//! A look came back.

use super::look::{Shown, on};
use super::{
    Conductor, LOOK_EVERY_MS, Moment, PATIENCE_MS, REST_MAX_MS, SETTLE_MS, Stage, Why, refusal,
};
use crate::eni::Eni;
use crate::error::Error;
use berth_domain::command::Report;
use berth_domain::row::{Cause, Step};
use std::net::IpAddr;

// === impl Conductor ===

impl Conductor {
    /// What a [`super::Next::Look`] showed, all pages.
    pub fn seen(&mut self, enis: Result<&[Eni], Error>, moment: Moment) {
        let Stage::Looking(why, began_ms) = self.stage else {
            return;
        };
        match enis {
            Ok(enis) => self.looked(enis, why, (began_ms, moment)),
            Err(error) => {
                self.trouble = Some(error);
                self.rest(moment);
            }
        }
    }

    fn looked(&mut self, enis: &[Eni], why: Why, (began_ms, moment): (u64, Moment)) {
        let own = self.own(enis);
        self.on = own.and_then(on).cloned();
        self.left = own.map(|own| self.on_it(own));
        let shown = self.shown(own);
        let settled = began_ms >= self.step_since_ms + SETTLE_MS;
        self.stage = match shown {
            Shown::Done(report) => Stage::ToReport(report),
            Shown::Part(report) if settled => Stage::ToReport(report),
            Shown::Gone if settled => Stage::ToReport(Report::Unassigned),
            Shown::Absent if settled => Stage::ToReport(Report::Deleted),
            Shown::Part(_) | Shown::Gone | Shown::Absent => self.once_settled(moment),
            Shown::UnderWay => match accepts(self.job.step) && why != Why::Waiting {
                true => Stage::ToReport(Report::Accepted),
                false => self.waiting(why, moment),
            },
            Shown::Not => self.not_shown(enis, own, why, moment),
        };
    }

    fn not_shown(&mut self, enis: &[Eni], own: Option<&Eni>, why: Why, moment: Moment) -> Stage {
        match why {
            Why::Waiting => self.waiting(why, moment),
            // Not wanted any more: it is only waited for whether an earlier call has made it.
            Why::BeforeACall if self.job.step == Step::Create && self.is_leaving() => {
                Stage::ToReport(refusal::report(Cause::Other, Vec::new()))
            }
            // Nothing but time tells what becomes of the others.
            Why::BeforeACall if self.is_short && self.doubt_ends_ms(moment).is_some() => {
                Stage::Resting(moment.now_ms + REST_MAX_MS)
            }
            Why::BeforeACall if self.is_short => {
                Stage::ToReport(refusal::report(Cause::Other, Vec::new()))
            }
            Why::BeforeACall => Stage::ToCall,
            Why::Refused(cause) => self.refused(own, cause, Vec::new()),
            Why::WhoHasThem => {
                let foreign = self.others(enis);
                self.refused(own, Cause::AddressTaken, foreign)
            }
        }
    }

    /// What an earlier call brought is said, though this one was refused.
    fn refused(&self, own: Option<&Eni>, cause: Cause, foreign: Vec<IpAddr>) -> Stage {
        let assigns = matches!(self.job.step, Step::AssignIpv4 | Step::AssignIpv6);
        let there = own.filter(|_| assigns).map(|eni| self.on_it(eni));
        Stage::ToReport(match there.filter(|there| !there.is_empty()) {
            Some(addresses) => Report::Assigned { addresses },
            None => refusal::report(cause, foreign),
        })
    }

    /// Those of the step's addresses that are on others' ENIs.
    fn others(&self, enis: &[Eni]) -> Vec<IpAddr> {
        let own = self.own(enis).map(|own| &own.id);
        let others = || enis.iter().filter(|eni| Some(&eni.id) != own);
        let asked = self.of_step().into_iter();
        let taken = asked.filter(|at| others().any(|eni| super::look::has(eni, *at)));
        taken.collect()
    }

    /// What takes too long is begun anew.
    fn waiting(&self, why: Why, moment: Moment) -> Stage {
        let waited_ms = moment.now_ms.saturating_sub(self.step_since_ms);
        if why == Why::Waiting && waited_ms >= PATIENCE_MS {
            return Stage::ToReport(refusal::report(Cause::WrongState, Vec::new()));
        }
        Stage::Resting(moment.now_ms + LOOK_EVERY_MS)
    }

    fn once_settled(&self, moment: Moment) -> Stage {
        let settled_ms = self.step_since_ms + SETTLE_MS;
        Stage::Resting(settled_ms.max(moment.now_ms + LOOK_EVERY_MS))
    }
}

/// Whether the cloud begins it first and ends it later.
fn accepts(step: Step) -> bool {
    matches!(step, Step::Attach | Step::Detach | Step::Delete)
}
