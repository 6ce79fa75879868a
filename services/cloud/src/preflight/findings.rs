//! What follows from what was seen.

use super::{Finding, Question, Seen};
use crate::call::Action;
use crate::id::{VpcId, ZoneId};
use std::collections::BTreeSet;
use std::fmt::Display;

/// With fewer zones the loss of one leaves too little (design §7).
const ZONES: usize = 3;

pub(super) fn findings(seen: &Seen, question: &Question) -> Vec<Finding> {
    let mut findings = Vec::new();
    rights(seen, &mut findings);
    absent(seen, question, &mut findings);
    places(seen, &mut findings);
    machines(seen, &mut findings);
    quota(seen, &mut findings);
    findings.sort_by_key(|finding| !finding.is_missing);
    findings
}

fn rights(seen: &Seen, findings: &mut Vec<Finding>) {
    for (_, ended) in &seen.rights {
        if let Err(error) = ended {
            findings.push(missing(error.to_string()));
        }
    }
}

/// What was asked for and is not there, where looking was possible.
fn absent(seen: &Seen, question: &Question, findings: &mut Vec<Finding>) {
    let could = |action: Action| {
        let mut rights = seen.rights.iter();
        rights.any(|(made, ended)| *made == action && ended.is_ok())
    };
    if could(Action::DescribeInstances) {
        let there: BTreeSet<_> = seen.instances.iter().map(|one| &one.id).collect();
        unseen("instance", &question.instances, &there, findings);
    }
    if could(Action::DescribeVSwitches) {
        let there: BTreeSet<_> = seen.vswitches.iter().map(|one| &one.id).collect();
        unseen("vSwitch", &question.vswitches, &there, findings);
    }
    if could(Action::DescribeSecurityGroups) {
        let there: BTreeSet<_> = seen.security_groups.iter().map(|one| &one.id).collect();
        unseen(
            "security group",
            &question.security_groups,
            &there,
            findings,
        );
    }
}

fn unseen<T: Ord + Display>(
    what: &str,
    asked: &[T],
    there: &BTreeSet<&T>,
    findings: &mut Vec<Finding>,
) {
    for id in asked.iter().filter(|id| !there.contains(id)) {
        findings.push(missing(format!(
            "there is no {what} {id} in this region, or the credentials may not see it"
        )));
    }
}

/// VPCs and zones that do not meet.
fn places(seen: &Seen, findings: &mut Vec<Finding>) {
    let vpcs: BTreeSet<&VpcId> = seen.vswitches.iter().map(|one| &one.vpc).collect();
    let zones: BTreeSet<&ZoneId> = seen.vswitches.iter().map(|one| &one.zone).collect();
    if vpcs.len() > 1 {
        let names: Vec<&str> = vpcs.iter().map(|vpc| vpc.as_str()).collect();
        let names = names.join(", ");
        findings.push(missing(format!(
            "the vSwitches are of several VPCs: {names}"
        )));
    }
    for group in &seen.security_groups {
        if let Some(vpc) = group.vpc.as_ref().filter(|vpc| !vpcs.contains(vpc))
            && !vpcs.is_empty()
        {
            findings.push(missing(format!(
                "security group {} is of VPC {vpc}, where none of the vSwitches is",
                group.id
            )));
        }
    }
    if (1..ZONES).contains(&zones.len()) {
        findings.push(advice(format!(
            "the vSwitches are in {} zone(s); with {ZONES} the loss of one leaves two thirds",
            zones.len()
        )));
    }
    for vswitch in seen.vswitches.iter().filter(|one| one.available == 0) {
        findings.push(advice(format!(
            "vSwitch {} has no address left",
            vswitch.id
        )));
    }
}

/// Instances that Berth could give nothing.
fn machines(seen: &Seen, findings: &mut Vec<Finding>) {
    let zones: BTreeSet<&ZoneId> = seen.vswitches.iter().map(|one| &one.zone).collect();
    for instance in &seen.instances {
        if !zones.is_empty() && !zones.contains(&instance.zone) {
            findings.push(missing(format!(
                "instance {} is in zone {}, where none of the vSwitches is",
                instance.id, instance.zone
            )));
        }
        let mut types = seen.types.iter();
        let facts = types.find(|facts| facts.name == instance.instance_type);
        if let Some(facts) = facts.filter(|facts| facts.enis < 2) {
            findings.push(missing(format!(
                "instance {} is a {} and can have no ENI beside its primary one",
                instance.id, facts.name
            )));
        }
    }
}

/// The machines' ENIs against what the account may have. Those of other regions' and VPCs' machines are not seen.
fn quota(seen: &Seen, findings: &mut Vec<Finding>) {
    let Some(quota) = seen.eni_quota else {
        return;
    };
    let room = seen.instances.iter().filter_map(|instance| {
        let mut types = seen.types.iter();
        let facts = types.find(|facts| facts.name == instance.instance_type);
        facts.map(|facts| u64::from(facts.enis.saturating_sub(1)))
    });
    let room: u64 = room.sum();
    if room > quota {
        findings.push(advice(format!(
            "the instances have room for {room} ENIs beside their primary ones, but the account's quota is {quota}: ask for more"
        )));
    }
}

fn missing(message: String) -> Finding {
    Finding {
        is_missing: true,
        message,
    }
}

fn advice(message: String) -> Finding {
    Finding {
        is_missing: false,
        message,
    }
}
