//! CIDRs: of the right family, without host bits, and no Service's address a node's or a pod's.

use super::{Finding, Plan, PlannedVSwitch, Side};
use crate::address::Family;
use crate::capacity::Stack;
use ipnet::IpNet;

pub(super) fn host_bits(plan: &Plan) -> Vec<Finding> {
    let said = said(plan).into_iter();
    let wrong = said.filter(|(cidr, ..)| cidr.trunc() != *cidr);
    wrong
        .map(|(cidr, _, of)| Finding::HostBits { cidr, of })
        .collect()
}

pub(super) fn families(plan: &Plan) -> Vec<Finding> {
    let said = said(plan).into_iter();
    let wrong = said.filter(|(cidr, expected, _)| Family::of(cidr.addr()) != *expected);
    wrong
        .map(|(cidr, expected, of)| Finding::WrongFamily { cidr, of, expected })
        .collect()
}

/// Every CIDR, what family its field is for, and whose it is.
fn said(plan: &Plan) -> Vec<(IpNet, Family, String)> {
    let mut said = Vec::new();
    for (side, vswitch) in plan.vswitches() {
        let of = format!("{side} vSwitch {}", vswitch.name);
        said.extend(vswitch.ipv4.map(|cidr| (cidr, Family::V4, of.clone())));
        said.extend(vswitch.ipv6.map(|cidr| (cidr, Family::V6, of)));
    }
    let of = "the Services";
    said.extend(plan.service_ipv4.map(|cidr| (cidr, Family::V4, of.into())));
    said.extend(plan.service_ipv6.map(|cidr| (cidr, Family::V6, of.into())));
    said
}

/// What has to be there and is not.
pub(super) fn missing(plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sides = [
        (Side::Node, &plan.node_vswitches),
        (Side::Pod, &plan.pod_vswitches),
    ];
    let empty = sides.into_iter().filter(|(_, list)| list.is_empty());
    findings.extend(empty.map(|(side, _)| Finding::VSwitchMissing { side }));
    for (side, vswitch) in plan.vswitches() {
        let name = || vswitch.name.clone();
        if vswitch.ipv4.is_none() {
            let vswitch = name();
            findings.push(Finding::Ipv4Missing { side, vswitch });
        }
        if side == Side::Pod && plan.stack == Stack::Dual && vswitch.ipv6.is_none() {
            findings.push(Finding::Ipv6Missing { vswitch: name() });
        }
    }
    findings
}

/// A Service's CIDR overlaps nobody's; two pod vSwitches do not overlap. A pod vSwitch may overlap a node's, or be it.
pub(super) fn overlaps(plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in plan.service_ipv4.into_iter().chain(plan.service_ipv6) {
        for (side, vswitch) in plan.vswitches() {
            let cidrs = vswitch.cidrs().filter(|cidr| overlap(&service, cidr));
            findings.extend(cidrs.map(|cidr| Finding::ServiceOverlap {
                service,
                cidr,
                side,
                vswitch: vswitch.name.clone(),
            }));
        }
    }
    for (at, vswitch) in plan.pod_vswitches.iter().enumerate() {
        let later = &plan.pod_vswitches[at + 1..];
        findings.extend(later.iter().flat_map(|other| between(vswitch, other)));
    }
    findings
}

fn between<'a>(
    vswitch: &'a PlannedVSwitch,
    other: &'a PlannedVSwitch,
) -> impl Iterator<Item = Finding> + 'a {
    let pairs = vswitch
        .cidrs()
        .flat_map(|cidr| other.cidrs().map(move |other_cidr| (cidr, other_cidr)));
    let pairs = pairs.filter(|(cidr, other_cidr)| overlap(cidr, other_cidr));
    pairs.map(|(cidr, other_cidr)| Finding::PodOverlap {
        cidr,
        vswitch: vswitch.name.clone(),
        other_cidr,
        other: other.name.clone(),
    })
}

/// Two CIDRs overlap if one has the other's first address; host bits do not count, and families never overlap.
fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}
