//! The intent of cloud calls for a node's ENIs. From here on a crash loses nothing: whoever leads next finds the job.

mod assign;
mod create_eni;
mod delete_eni;
mod unassign;

pub(in crate::apply) use delete_eni::leaving;

use super::{Context, Decided, Decision, given, invalid};
use crate::address::{Family, NetworkKind};
use crate::command::{BeginJob, Plan};
use crate::id::{EniNumber, JobId, NodeId, VSwitchId};
use crate::ledger::nodes;
use crate::outcome::{Outcome, Refusal};
use crate::row::{AddressState, Change, Eni, EniState, Job, Step, VSwitch, Work};
use std::net::IpAddr;
use std::sync::Arc;

/// Addresses of one family in one job: what one call of the cloud takes.
pub const JOB_ADDRESSES_MAX: usize = 10;

pub(super) fn decide(context: &Context, command: &BeginJob) -> Decided {
    let node = context.node(command.node)?;
    match &command.plan {
        Plan::CreateEni {
            vswitch,
            kind,
            security_groups,
            addresses,
        } => {
            let asked = create_eni::Asked {
                vswitch: *vswitch,
                kind: *kind,
                security_groups,
                addresses,
            };
            create_eni::decide(context, node, &asked)
        }
        Plan::Assign { eni, addresses } => assign::decide(context, node, *eni, addresses),
        Plan::Unassign { eni, addresses } => unassign::decide(context, node, *eni, addresses),
        Plan::DeleteEni { eni, trunk_too } => delete_eni::decide(context, node, *eni, *trunk_too),
    }
}

/// A job at its first step.
pub(super) fn job(context: &Context, eni: &Eni, work: Work, addresses: Vec<IpAddr>) -> Job {
    Job {
        id: JobId::of(context.revision, 0),
        node: eni.node,
        vswitch: eni.vswitch,
        eni: eni.number,
        work,
        step: first_step(work, &addresses),
        addresses: in_order(addresses),
        attempt: 0,
        began_ms: context.now_ms,
        step_since_ms: context.now_ms,
        doubt_until_ms: None,
        trouble: None,
    }
}

fn first_step(work: Work, addresses: &[IpAddr]) -> Step {
    let has_ipv4 = addresses.iter().any(IpAddr::is_ipv4);
    match work {
        Work::CreateEni => Step::Create,
        Work::Assign if has_ipv4 => Step::AssignIpv4,
        Work::Assign => Step::AssignIpv6,
        Work::Unassign if has_ipv4 => Step::UnassignIpv4,
        Work::Unassign => Step::UnassignIpv6,
        Work::DeleteEni => Step::Detach,
    }
}

/// IPv4 first, each family sorted.
pub(super) fn in_order(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    addresses.sort();
    addresses
}

/// The begun job with the changes of its addresses and ENI.
fn begun(job: Job, mut changes: Vec<Change>) -> Decision {
    let id = job.id;
    changes.push(Change::Job {
        id,
        before: None,
        after: Some(Arc::new(job)),
    });
    Decision {
        changes,
        outcome: Outcome::Job(id),
    }
}

/// An ENI of this node that is on its instance.
fn in_use<'a>(
    context: &Context<'a>,
    node: NodeId,
    number: EniNumber,
) -> Result<&'a Arc<Eni>, Refusal> {
    let found = context.ledger.eni(number).filter(|row| row.node == node);
    let eni = found.ok_or_else(|| Refusal::NotFound {
        what: "ENI",
        name: number.to_string(),
    })?;
    match eni.state {
        EniState::InUse => Ok(eni),
        other => Err(Refusal::InUse {
            what: "ENI",
            name: number.to_string(),
            by: format!("it is {}, and a job works on it", other.name()),
        }),
    }
}

/// At most one call's worth of each family.
fn one_call(addresses: &[IpAddr]) -> Result<(), Refusal> {
    given::distinct(addresses)?;
    for family in Family::ALL {
        let named = addresses.iter().filter(|at| Family::of(**at) == family);
        let count = named.count();
        if count > JOB_ADDRESSES_MAX {
            let reason =
                format!("has {count} of {family}, at most {JOB_ADDRESSES_MAX} are allowed");
            return Err(invalid("addresses", reason));
        }
    }
    Ok(())
}

/// As many of the one family as of the other where the vSwitch has both: a pod gets both on one ENI, or none.
fn paired(vswitch: &VSwitch, addresses: &[IpAddr]) -> Result<(), Refusal> {
    let of = |family| {
        addresses
            .iter()
            .filter(|at| Family::of(**at) == family)
            .count()
    };
    let (ipv4, ipv6) = (of(Family::V4), of(Family::V6));
    let right = match (vswitch.ipv4.is_some(), vswitch.ipv6.is_some()) {
        (true, true) => ipv4 == ipv6,
        (true, false) => ipv6 == 0,
        (false, _) => ipv4 == 0,
    };
    match right {
        true => Ok(()),
        false => Err(invalid(
            "addresses",
            format!(
                "has {ipv4} of ipv4 and {ipv6} of ipv6: vSwitch {} gives them in pairs",
                vswitch.name
            ),
        )),
    }
}

/// The cloud gives ENIs in a VPC's vSwitches only.
fn of_a_cloud<'a>(context: &Context<'a>, id: VSwitchId) -> Result<&'a Arc<VSwitch>, Refusal> {
    let vswitch = &context.vswitch(id)?.row;
    match vswitch.kind {
        NetworkKind::Vpc => Ok(vswitch),
        NetworkKind::Routed => Err(invalid(
            "vswitch",
            format!(
                "{} is of a routed network: there are no ENIs in it",
                vswitch.name
            ),
        )),
    }
}

/// The addresses, which are free, are the job's from now on.
fn reserve(
    context: &Context,
    vswitch: &VSwitch,
    node: &nodes::Entry,
    job: &Job,
) -> Result<Vec<Change>, Refusal> {
    for family in Family::ALL {
        let come = job.addresses.iter().filter(|at| Family::of(**at) == family);
        given::room(node, family, come.count() as u32, 0)?;
    }
    let after = AddressState::Reserved {
        node: node.row.id,
        job: job.id,
    };
    let reserved = |address: &IpAddr| {
        given::in_range(vswitch, *address)?;
        let before = given::free(context, *address)?;
        Ok(Change::address(
            vswitch.id,
            *address,
            before,
            Some(after.clone()),
        ))
    };
    job.addresses.iter().map(reserved).collect()
}

/// The addresses, which are idle on this ENI, are the job's from now on.
fn take_back(context: &Context, eni: &Eni, job: &Job) -> Result<Vec<Change>, Refusal> {
    let after = AddressState::Releasing {
        node: Some(eni.node),
        job: job.id,
    };
    let released = |address: &IpAddr| {
        let before = context.ledger.address_state(*address);
        match &before {
            Some(AddressState::Idle { node, eni: on }) if *node == eni.node && *on == eni.id => {}
            _ => return Err(Refusal::Taken { address: *address }),
        }
        Ok(Change::address(
            eni.vswitch,
            *address,
            before,
            Some(after.clone()),
        ))
    };
    job.addresses.iter().map(released).collect()
}

#[cfg(test)]
mod tests;
