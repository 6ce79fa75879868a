//! What a leader does with a job's step: look, call if the look does not show its effect, report.

use crate::cloud::{Answer, Call, Cloud, CloudEni};
use berth_domain::command::Report;
use berth_domain::id::{EniId, MacAddress};
use berth_domain::row::{Cause, Eni, Job, Step};
use std::net::IpAddr;

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Done, and answered.
    Done,
    /// Done, and nobody hears of it.
    Unheard,
    /// It takes effect later, and nobody hears of it.
    Late,
    /// It never arrives, and nobody knows.
    Lost,
    /// The cloud refuses.
    Refused,
    /// Part of it is done.
    Part,
}

/// What came of a step; a call that takes effect later goes to `late`.
pub fn work(
    cloud: &mut Cloud,
    job: &Job,
    eni: &Eni,
    fate: Fate,
    late: &mut Vec<Call>,
) -> Option<Report> {
    let there = cloud.enis.get(&eni.number).cloned();
    if let Some(report) = look(
        job,
        eni,
        there.as_ref(),
        cloud.deleted.contains(&eni.number),
    ) {
        return Some(report);
    }
    if job.step.only_looks() {
        let refused = Report::Refused {
            cause: Cause::WrongState,
            foreign: Vec::new(),
        };
        return (fate == Fate::Refused).then_some(refused);
    }
    let call = call(job, eni, fate);
    match fate {
        Fate::Refused => Some(refused(job, there.as_ref(), Cause::Quota, &[])),
        Fate::Lost => Some(Report::Unknown),
        Fate::Late => {
            late.push(call);
            Some(Report::Unknown)
        }
        Fate::Unheard => {
            cloud.call(&call);
            Some(Report::Unknown)
        }
        Fate::Done | Fate::Part => Some(match cloud.call(&call) {
            Answer::WrongState => refused(job, there.as_ref(), Cause::WrongState, &[]),
            Answer::Taken(taken) => refused(job, there.as_ref(), Cause::AddressTaken, &taken),
            Answer::Done(addresses) => heard(job, eni, addresses),
        }),
    }
}

fn of_step(job: &Job) -> Vec<IpAddr> {
    let addresses = job.addresses.iter().copied();
    match job.step {
        Step::AssignIpv4 | Step::UnassignIpv4 => addresses.filter(IpAddr::is_ipv4).collect(),
        Step::AssignIpv6 | Step::UnassignIpv6 => addresses.filter(IpAddr::is_ipv6).collect(),
        _ => addresses.collect(),
    }
}

fn call(job: &Job, eni: &Eni, fate: Fate) -> Call {
    let addresses = of_step(job);
    Call {
        job: job.id,
        step: job.step,
        attempt: job.attempt,
        eni: eni.number,
        node: eni.node,
        part: match fate {
            Fate::Part => addresses.len() / 2,
            _ => addresses.len(),
        },
        addresses,
        primary: eni.primary,
    }
}

fn created(job: &Job, eni: &Eni, there: &[IpAddr]) -> Report {
    let of_job = |at: &&IpAddr| job.addresses.contains(at);
    Report::Created {
        eni: EniId::new(&format!("eni-{}", eni.number)).expect("a name"),
        mac: MacAddress::new("02:00:00:00:00:01").expect("an address"),
        addresses: there.iter().filter(of_job).copied().collect(),
    }
}

/// What a look shows to be the end of the step; none = the call is still to be made, or to have its effect.
fn look(job: &Job, eni: &Eni, there: Option<&CloudEni>, deleted: bool) -> Option<Report> {
    let on_it = |at: &IpAddr| there.is_some_and(|eni| eni.addresses.contains(at));
    let asked = of_step(job);
    match (job.step, there) {
        (Step::Create, Some(there)) => {
            let addresses: Vec<IpAddr> = there.addresses.iter().copied().collect();
            Some(created(job, eni, &addresses))
        }
        (Step::Create, None) => None,
        (_, None) => deleted.then_some(Report::Deleted),
        (Step::Attach | Step::AwaitAttached, Some(there)) => there.on.map(|_| Report::Attached),
        (Step::AssignIpv4 | Step::AssignIpv6, Some(_)) => {
            let addresses: Vec<IpAddr> = asked.iter().filter(|at| on_it(at)).copied().collect();
            (addresses.len() == asked.len()).then_some(Report::Assigned { addresses })
        }
        (Step::UnassignIpv4 | Step::UnassignIpv6 | Step::AwaitUnassigned, Some(_)) => {
            let all_gone = !job.addresses.iter().any(on_it);
            all_gone.then_some(Report::Unassigned)
        }
        (Step::Detach | Step::AwaitDetached, Some(there)) => {
            there.on.is_none().then_some(Report::Detached)
        }
        (Step::Delete | Step::AwaitDeleted, Some(_)) => None,
    }
}

fn heard(job: &Job, eni: &Eni, addresses: Vec<IpAddr>) -> Report {
    match job.step {
        Step::Create => created(job, eni, &addresses),
        // An answer under an old token may name some that the ledger has taken already.
        Step::AssignIpv4 | Step::AssignIpv6 => {
            let asked = of_step(job);
            let ours = addresses.into_iter().filter(|at| asked.contains(at));
            Report::Assigned {
                addresses: ours.collect(),
            }
        }
        _ => Report::Accepted,
    }
}

/// A refusal says that this call did nothing; what an earlier one of the step brought is there all the same, and nobody else's.
fn refused(job: &Job, there: Option<&CloudEni>, cause: Cause, taken: &[IpAddr]) -> Report {
    let on_it = |at: &IpAddr| there.is_some_and(|eni| eni.addresses.contains(at));
    let assigns = matches!(job.step, Step::AssignIpv4 | Step::AssignIpv6);
    let asked = of_step(job).into_iter();
    let addresses: Vec<IpAddr> = asked.filter(|at| assigns && on_it(at)).collect();
    match addresses.is_empty() {
        true => Report::Refused {
            cause,
            foreign: taken.to_vec(),
        },
        false => Report::Assigned { addresses },
    }
}
