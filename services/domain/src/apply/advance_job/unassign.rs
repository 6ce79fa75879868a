//! Addresses leave an ENI. They are free when a look shows that they are gone, and no call that could take them away again is left.

use super::work::Working;
use crate::command::Report;
use crate::row::Step;
use std::net::IpAddr;

pub(super) fn unassign<'a>(mut working: Working<'a>, report: &Report) -> Option<Working<'a>> {
    let has_ipv6 = working.job.addresses.iter().any(IpAddr::is_ipv6);
    match (working.job.step, report) {
        (Step::UnassignIpv4, Report::Accepted) if has_ipv6 => working.go(Step::UnassignIpv6),
        (Step::UnassignIpv4 | Step::UnassignIpv6, Report::Accepted) => {
            working.go(Step::AwaitUnassigned);
        }
        // Given out again on this ENI, the late call would take it from its new pod.
        (step, Report::Unassigned) if working.in_doubt() => {
            if step != Step::AwaitUnassigned {
                working.go(Step::AwaitUnassigned);
            }
        }
        (_, Report::Unassigned) => {
            let addresses = working.job.addresses.clone();
            working.free(&addresses, &[]);
            working.end();
        }
        (Step::AwaitUnassigned, Report::Refused { cause, .. }) => {
            let has_ipv4 = working.job.addresses.iter().any(IpAddr::is_ipv4);
            let first = match has_ipv4 {
                true => Step::UnassignIpv4,
                false => Step::UnassignIpv6,
            };
            working.again(first, *cause);
        }
        (step, Report::Refused { cause, .. }) => working.again(step, *cause),
        _ => return None,
    }
    Some(working)
}
