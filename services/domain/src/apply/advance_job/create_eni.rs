//! An ENI is made and attached, or what was made of it goes again.

use super::work::Working;
use crate::apply::invalid;
use crate::command::Report;
use crate::id::{EniId, MacAddress};
use crate::outcome::Refusal;
use crate::planted::{self, Planted};
use crate::row::{EniState, Step};
use std::net::IpAddr;

pub(super) fn create<'a>(
    mut working: Working<'a>,
    report: &Report,
) -> Result<Option<Working<'a>>, Refusal> {
    match report {
        Report::Created {
            eni,
            mac,
            addresses,
        } => created(working, (eni, mac), addresses).map(Some),
        // A call that nobody heard of again may still make it: its addresses are nobody's until it cannot.
        Report::Refused { cause, .. } if working.in_doubt() => {
            working.trouble(*cause);
            Ok(Some(working))
        }
        Report::Refused { foreign, .. } => {
            let addresses = working.job.addresses.clone();
            working.free(&addresses, foreign);
            working.end();
            working.end_eni();
            Ok(Some(working))
        }
        _ => Ok(None),
    }
}

fn created<'a>(
    mut working: Working<'a>,
    (eni, mac): (&EniId, &MacAddress),
    there: &[IpAddr],
) -> Result<Working<'a>, Refusal> {
    let known = |address: &&IpAddr| !working.job.addresses.contains(address);
    if let Some(other) = there.iter().find(known) {
        return Err(invalid(
            "addresses",
            format!("{other} is not one of the job's"),
        ));
    }
    if !there.contains(&working.eni.primary) {
        let reason = format!("the primary one, {}, is not there", working.eni.primary);
        return Err(invalid("addresses", reason));
    }
    working.eni.id = Some(eni.clone());
    working.eni.mac = Some(mac.clone());
    // The same call again is the same token: it has had its effect.
    working.no_doubt();
    let missing = working
        .job
        .addresses
        .iter()
        .filter(|at| !there.contains(at));
    let missing: Vec<IpAddr> = missing.copied().collect();
    working.free(&missing, &[]);
    match working.is_leaving() {
        true => working.go(Step::Delete),
        false => {
            working.eni.state = EniState::Available;
            working.go(Step::Attach);
        }
    }
    Ok(working)
}

pub(super) fn attach<'a>(mut working: Working<'a>, report: &Report) -> Option<Working<'a>> {
    match (working.job.step, report) {
        (Step::Attach, Report::Accepted) if !planted::has(Planted::GrantedBeforeAttached) => {
            working.go(Step::AwaitAttached);
        }
        // The first of these only where the bug is planted.
        (Step::Attach, Report::Accepted) | (_, Report::Attached) => {
            working.eni.state = EniState::InUse;
            let addresses = working.job.addresses.clone();
            working.idle(&addresses);
            working.end();
        }
        (step, Report::Refused { cause, .. }) => {
            working.eni.state = EniState::Leaving;
            working.withdraw();
            // An attach that did not come to its end may have left it half attached.
            let back = match step {
                Step::Attach => Step::Delete,
                _ => Step::Detach,
            };
            working.go(back);
            working.trouble(*cause);
        }
        _ => return None,
    }
    Some(working)
}
