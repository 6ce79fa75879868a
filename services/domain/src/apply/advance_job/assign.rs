//! Addresses come onto an ENI: all of them, some, or none.

use super::work::Working;
use crate::address::Family;
use crate::apply::invalid;
use crate::command::Report;
use crate::outcome::Refusal;
use crate::row::Step;
use std::net::IpAddr;

pub(super) fn assign<'a>(
    mut working: Working<'a>,
    report: &Report,
) -> Result<Option<Working<'a>>, Refusal> {
    let there = match report {
        Report::Assigned { addresses } => addresses.as_slice(),
        // See `create_eni`: a call that nobody heard of again may still bring them.
        Report::Refused { cause, .. } if working.in_doubt() => {
            working.trouble(*cause);
            return Ok(Some(working));
        }
        Report::Refused { .. } => &[],
        _ => return Ok(None),
    };
    let foreign = match report {
        Report::Refused { foreign, .. } => foreign.as_slice(),
        _ => &[],
    };
    check(&working, there)?;
    if there.len() < of(&working, family(&working)).len() && working.in_doubt() {
        // Some are there by a call whose end is not known: the others may come yet. Of pairs nothing is known before both have come.
        if of(&working, Family::V6).is_empty() {
            working.idle(there);
        }
        return Ok(Some(working));
    }
    working.no_doubt();
    match working.job.step {
        Step::AssignIpv4 => ipv4(&mut working, there, foreign),
        _ => ipv6(&mut working, there, foreign),
    }
    Ok(Some(working))
}

fn family(working: &Working) -> Family {
    match working.job.step {
        Step::AssignIpv4 => Family::V4,
        _ => Family::V6,
    }
}

fn of(working: &Working, family: Family) -> Vec<IpAddr> {
    let addresses = working.job.addresses.iter().copied();
    addresses.filter(|at| Family::of(*at) == family).collect()
}

fn check(working: &Working, there: &[IpAddr]) -> Result<(), Refusal> {
    let asked = of(working, family(working));
    match there.iter().find(|address| !asked.contains(address)) {
        Some(other) => Err(invalid(
            "addresses",
            format!("{other} is not one of those that this step assigns"),
        )),
        None => Ok(()),
    }
}

/// Of IPv6 there will be as many as IPv4 has come.
fn ipv4(working: &mut Working, there: &[IpAddr], foreign: &[IpAddr]) {
    let ipv4 = of(working, Family::V4);
    let missing: Vec<IpAddr> = ipv4.into_iter().filter(|at| !there.contains(at)).collect();
    working.free(&missing, foreign);
    let ipv6 = of(working, Family::V6);
    let surplus: Vec<IpAddr> = ipv6.iter().skip(there.len()).copied().collect();
    working.free(&surplus, &[]);
    match of(working, Family::V6).is_empty() {
        true => finish(working),
        false => working.go(Step::AssignIpv6),
    }
}

/// What has no partner goes back.
fn ipv6(working: &mut Working, there: &[IpAddr], foreign: &[IpAddr]) {
    let ipv6 = of(working, Family::V6);
    let missing: Vec<IpAddr> = ipv6.into_iter().filter(|at| !there.contains(at)).collect();
    working.free(&missing, foreign);
    let ipv4 = of(working, Family::V4);
    let alone: Vec<IpAddr> = ipv4.iter().skip(there.len()).copied().collect();
    if alone.is_empty() {
        return finish(working);
    }
    let paired: Vec<IpAddr> = ipv4
        .iter()
        .take(there.len())
        .chain(there)
        .copied()
        .collect();
    working.idle(&paired);
    working.withdraw();
    working.go(Step::UnassignIpv4);
}

fn finish(working: &mut Working) {
    let addresses = working.job.addresses.clone();
    working.idle(&addresses);
    working.end();
}
