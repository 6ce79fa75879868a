//! ENIs and jobs: E1, E2.

use super::{Violation, violation};
use crate::address::{Family, address};
use crate::id::{EniId, EniNumber, JobId, NodeId};
use crate::ledger::Ledger;
use crate::row::{AddressState, Eni, EniState, Job};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// E1: see [`super::ALL`]. An ENI without a row is not ours, and nothing is said of it.
pub(super) fn where_they_are(ledger: &Ledger) -> Result<(), Violation> {
    let mut names: BTreeMap<&EniId, EniNumber> = BTreeMap::new();
    for eni in ledger.enis() {
        if let Some(other) = eni.id.as_ref().and_then(|id| names.insert(id, eni.number)) {
            return violation("E1", format!("ENIs {other} and {} are one", eni.number));
        }
        let on_it = ledger.addresses_on(eni);
        fits(ledger, eni, &on_it)?;
        let elsewhere = |at: &&IpAddr| {
            let vswitch = ledger.vswitch_containing(**at);
            vswitch.is_none_or(|vswitch| vswitch.id != eni.vswitch)
        };
        if let Some(at) = on_it.iter().find(elsewhere) {
            return violation(
                "E1",
                format!("{at} is on ENI {}, which is in another vSwitch", eni.number),
            );
        }
    }
    for node in ledger.nodes() {
        let used = ledger.enis_of(node.id).count();
        if used > node.eni_slots as usize {
            return violation(
                "E1",
                format!(
                    "node {} has {used} ENIs for {} slots",
                    node.name, node.eni_slots
                ),
            );
        }
    }
    Ok(())
}

fn fits(ledger: &Ledger, eni: &Eni, on_it: &[IpAddr]) -> Result<(), Violation> {
    let Some(node) = ledger.node(eni.node) else {
        return Ok(());
    };
    for family in Family::ALL {
        let used = on_it.iter().filter(|at| Family::of(**at) == family).count();
        if used > node.addresses_per_eni as usize {
            return violation(
                "E1",
                format!(
                    "ENI {} has {used} addresses of {family} for {}",
                    eni.number, node.addresses_per_eni
                ),
            );
        }
    }
    let twice = on_it.windows(2).find(|pair| pair[0] == pair[1]);
    match twice {
        Some(pair) => violation("E1", format!("{} is on ENI {} twice", pair[0], eni.number)),
        None => Ok(()),
    }
}

/// E2: see [`super::ALL`].
pub(super) fn jobs_have_their_own(ledger: &Ledger) -> Result<(), Violation> {
    let mut named: BTreeMap<IpAddr, JobId> = BTreeMap::new();
    let mut worked_on: BTreeSet<EniNumber> = BTreeSet::new();
    for job in ledger.jobs() {
        owns(ledger, job)?;
        worked_on.insert(job.eni);
        for at in &job.addresses {
            if let Some(other) = named.insert(*at, job.id) {
                return violation("E2", format!("{at} is of jobs {other} and {}", job.id));
            }
        }
    }
    for (number, place) in ledger.addresses.span((0, u128::MAX)) {
        let by = match ledger.state_of(place) {
            Some(AddressState::Reserved { job, .. } | AddressState::Releasing { job, .. }) => job,
            _ => continue,
        };
        let at = address(number);
        if named.get(&at) != Some(&by) {
            return violation(
                "E2",
                format!("{at} is under way by job {by}, which has it not"),
            );
        }
    }
    enis_are_settled(ledger, &worked_on)
}

fn owns(ledger: &Ledger, job: &Job) -> Result<(), Violation> {
    let Some(eni) = ledger.eni(job.eni) else {
        return violation("E2", format!("job {} works on no ENI", job.id));
    };
    if (eni.node, eni.vswitch) != (job.node, job.vswitch) {
        return violation(
            "E2",
            format!("job {} is for another node than its ENI", job.id),
        );
    }
    for at in &job.addresses {
        let its_own = match ledger.address_state(*at) {
            Some(AddressState::Reserved { job: by, node }) => {
                by == job.id && node == job.node && job.work.brings()
            }
            Some(AddressState::Releasing { job: by, node }) => {
                by == job.id && node.is_none_or(|node| node == job.node)
            }
            _ => false,
        };
        if !its_own {
            let state = ledger.address_state(*at);
            return violation("E2", format!("job {} has {at}, which is {state:?}", job.id));
        }
    }
    Ok(())
}

fn enis_are_settled(ledger: &Ledger, worked_on: &BTreeSet<EniNumber>) -> Result<(), Violation> {
    let lives = |node: NodeId| ledger.node(node).is_some();
    for eni in ledger.enis() {
        let number = eni.number;
        if eni.state != EniState::InUse && !worked_on.contains(&number) {
            return violation(
                "E2",
                format!("ENI {number} is {} for ever", eni.state.name()),
            );
        }
        if eni.state != EniState::Leaving && !lives(eni.node) {
            return violation("E2", format!("ENI {number} stays, and its node is gone"));
        }
        if eni.id.is_none() && !matches!(eni.state, EniState::Planned | EniState::Leaving) {
            return violation(
                "E2",
                format!("ENI {number} is {} without a name", eni.state.name()),
            );
        }
    }
    Ok(())
}
