//! What came of a job's step: the next step, the way back, or the end.
//!
//! An address becomes idle only by a report that the cloud has it on the ENI, and free only by one that the cloud has it nowhere,
//! with no call of the job under way that could change this.

mod assign;
mod create_eni;
mod delete_eni;
mod unassign;
mod work;

use super::{Context, Decided, invalid};
use crate::command::{AdvanceJob, Report};
use crate::outcome::Refusal;
use crate::row::{Cause, Step};
use work::Working;

pub(super) fn decide(context: &Context, command: &AdvanceJob) -> Decided {
    let missing = || Refusal::NotFound {
        what: "job",
        name: command.job.to_string(),
    };
    let job = context.ledger.job(command.job).ok_or_else(missing)?;
    if (job.step, job.attempt) != (command.step, command.attempt) {
        return Err(Refusal::JobMovedOn {
            job: job.id,
            step: job.step.name(),
            attempt: job.attempt,
        });
    }
    let eni = context.ledger.eni(job.eni).ok_or_else(missing)?;
    let working = Working::new(context, job, eni);
    let next = match (job.step, &command.report) {
        (_, Report::Unknown) => unknown(working),
        // Its ENI ended without us: nothing is on it, and its name never comes back.
        (Step::Create, Report::Deleted) => None,
        (_, Report::Deleted) => Some(delete_eni::gone(working)),
        (Step::Create, report) => create_eni::create(working, report)?,
        (Step::Attach | Step::AwaitAttached, report) => create_eni::attach(working, report),
        (Step::AssignIpv4 | Step::AssignIpv6, report) => assign::assign(working, report)?,
        (Step::UnassignIpv4 | Step::UnassignIpv6 | Step::AwaitUnassigned, report) => {
            unassign::unassign(working, report)
        }
        (Step::Detach | Step::AwaitDetached, report) => delete_eni::detach(working, report),
        (Step::Delete | Step::AwaitDeleted, report) => delete_eni::delete(working, report),
    };
    let reason = || format!("{} is no end of {}", command.report.name(), job.step.name());
    let working = next.ok_or_else(|| invalid("report", reason()))?;
    Ok(working.decision())
}

/// The call may take effect until its signature has ended. Where that could take an address away, or bring one that was given up,
/// nothing is concluded before.
fn unknown(mut working: Working) -> Option<Working> {
    if working.job.step.only_looks() {
        return None;
    }
    if matters(working.job.step) {
        working.doubt();
    }
    working.trouble(Cause::Unknown);
    Some(working)
}

/// Attaching twice, and detaching or deleting an ENI that is to go, harm nobody: its name is never used again.
fn matters(step: Step) -> bool {
    match step {
        Step::Create
        | Step::AssignIpv4
        | Step::AssignIpv6
        | Step::UnassignIpv4
        | Step::UnassignIpv6 => true,
        Step::Attach
        | Step::AwaitAttached
        | Step::AwaitUnassigned
        | Step::Detach
        | Step::AwaitDetached
        | Step::Delete
        | Step::AwaitDeleted => false,
    }
}

#[cfg(test)]
mod tests;
