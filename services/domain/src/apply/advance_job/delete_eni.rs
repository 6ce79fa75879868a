//! An ENI goes, with all that is on it. It is forward only: whatever the cloud says, it is tried again until the ENI is not there.

use super::work::Working;
use crate::command::Report;
use crate::row::{Cause, Step};

pub(super) fn detach<'a>(mut working: Working<'a>, report: &Report) -> Option<Working<'a>> {
    match (working.job.step, report) {
        (Step::Detach, Report::Accepted) => working.go(Step::AwaitDetached),
        (_, Report::Detached) => working.go(Step::Delete),
        (_, Report::Refused { cause, .. }) => working.again(Step::Detach, *cause),
        _ => return None,
    }
    Some(working)
}

pub(super) fn delete<'a>(mut working: Working<'a>, report: &Report) -> Option<Working<'a>> {
    match (working.job.step, report) {
        (Step::Delete, Report::Accepted) => working.go(Step::AwaitDeleted),
        // A late attach, or a detach that did not hold.
        (_, Report::Refused { cause, .. }) if *cause == Cause::WrongState => {
            working.again(Step::Detach, *cause);
        }
        (_, Report::Refused { cause, .. }) => working.again(Step::Delete, *cause),
        _ => return None,
    }
    Some(working)
}

/// The cloud has forgotten the ENI: what was on it is nowhere.
pub(super) fn gone(mut working: Working) -> Working {
    let addresses = working.job.addresses.clone();
    working.free(&addresses, &[]);
    working.end();
    // Where only some of its addresses are the job's, the others are found missing by whoever compares cloud and ledger.
    if ends_with_the_job(working.job.step) {
        working.end_eni();
    }
    working
}

fn ends_with_the_job(step: Step) -> bool {
    match step {
        Step::Create
        | Step::Attach
        | Step::AwaitAttached
        | Step::Detach
        | Step::AwaitDetached
        | Step::Delete
        | Step::AwaitDeleted => true,
        Step::AssignIpv4
        | Step::AssignIpv6
        | Step::UnassignIpv4
        | Step::UnassignIpv6
        | Step::AwaitUnassigned => false,
    }
}
