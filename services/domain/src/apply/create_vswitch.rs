//! A new vSwitch: its subnets overlap no other's, and some address is left in each.

use super::{Context, Decided, Decision, invalid};
use crate::address::{AddressRange, Family, MAPPED_LAST, NetworkKind, Subnet, merge, number};
use crate::command::CreateVSwitch;
use crate::id::VSwitchId;
use crate::outcome::{Outcome, Refusal};
use crate::row::{AddressState, Change, VSwitch};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Shorter IPv4 prefixes are nobody's pod network, and counters of all sizes are tested up to here.
const PREFIX_V4_MIN: u8 = 8;
/// The usual site prefix; 2^80 addresses fit every counter.
const PREFIX_V6_MIN: u8 = 48;
/// The cloud's smallest vSwitch is a /29: below, nothing is left after its own four.
const VPC_SIZE_MIN: u128 = 8;
/// A row has to fit a message; who excludes more than this should have another vSwitch.
const EXCLUSIONS_MAX: usize = 256;
/// Longer rest would look like a leak.
const COOLING_MS_MAX: u64 = 86_400_000;

pub(super) fn decide(context: &Context, command: &CreateVSwitch) -> Decided {
    let id = VSwitchId(context.revision.0);
    let row = VSwitch {
        id,
        name: command.name.clone(),
        zone: command.zone.clone(),
        ipv4: command.ipv4,
        ipv6: command.ipv6,
        excluded: Vec::new(),
        cooling_ms: command.cooling_ms,
        kind: command.kind,
        cloud: command.cloud.clone(),
    };
    check_families(command)?;
    let row = with_exclusions(row, &command.exclusions)?;
    if context.ledger.vswitch_named(&command.name).is_some() {
        let name = command.name.to_string();
        return Err(Refusal::AlreadyExists {
            what: "vSwitch",
            name,
        });
    }
    row.subnets()
        .try_for_each(|subnet| check_overlap(context, subnet))?;
    check_cloud(context, &row)?;
    let row = Arc::new(row);
    let mut changes = vec![Change::VSwitch {
        id,
        before: None,
        after: Some(row.clone()),
    }];
    changes.extend(lived_in(context, &row));
    Ok(Decision {
        changes,
        outcome: Outcome::VSwitch(id),
    })
}

/// The row with these exclusions and those by rule; everything is as it may be, and something is left in each subnet.
pub(super) fn with_exclusions(
    mut row: VSwitch,
    exclusions: &[AddressRange],
) -> Result<VSwitch, Refusal> {
    row.excluded = excluded(&row, exclusions);
    row.subnets()
        .try_for_each(|subnet| check_subnet(subnet, row.kind))?;
    check_exclusions(exclusions, &row)?;
    match row.cooling_ms > COOLING_MS_MAX {
        true => Err(invalid(
            "cooling_ms",
            format!("is above {COOLING_MS_MAX} ms, a day"),
        )),
        false => Ok(row),
    }
}

/// The vSwitch may have been there before the cluster was restored, and sandboxes may live in it by their nodes' word.
pub(super) fn lived_in(context: &Context, row: &VSwitch) -> Vec<Change> {
    let addresses = context.ledger.strays().flat_map(|stray| &stray.addresses);
    let inside = |address: &&IpAddr| row.contains(**address) && !row.excludes(**address);
    let inside: BTreeSet<IpAddr> = addresses.filter(inside).copied().collect();
    let quarantined = AddressState::Quarantined {
        since: context.revision,
    };
    let change = |address| Change::address(row.id, address, None, Some(quarantined.clone()));
    inside.into_iter().map(change).collect()
}

fn excluded(row: &VSwitch, exclusions: &[AddressRange]) -> Vec<AddressRange> {
    let by_rule = row
        .subnets()
        .flat_map(|subnet| match subnet.size() < VPC_SIZE_MIN {
            // Refused below; the rule has no meaning here.
            true if row.kind == NetworkKind::Vpc => Vec::new(),
            _ => subnet.excluded_by_rule(row.kind),
        });
    merge(by_rule.chain(exclusions.iter().copied()).collect())
}

fn check_families(command: &CreateVSwitch) -> Result<(), Refusal> {
    match (&command.ipv4, &command.ipv6) {
        (None, None) => Err(invalid(
            "ipv4.cidr",
            "is missing, and so is ipv6.cidr: give at least one",
        )),
        (Some(subnet), _) if subnet.family() != Family::V4 => Err(invalid(
            "ipv4.cidr",
            format!("{} is not an IPv4 CIDR", subnet.cidr),
        )),
        (_, Some(subnet)) if subnet.family() != Family::V6 => Err(invalid(
            "ipv6.cidr",
            format!("{} is not an IPv6 CIDR", subnet.cidr),
        )),
        _ => Ok(()),
    }
}

fn fields(family: Family) -> (&'static str, &'static str, u8, u8) {
    match family {
        Family::V4 => ("ipv4.cidr", "ipv4.gateway", PREFIX_V4_MIN, 32),
        Family::V6 => ("ipv6.cidr", "ipv6.gateway", PREFIX_V6_MIN, 128),
    }
}

fn check_subnet(subnet: &Subnet, kind: NetworkKind) -> Result<(), Refusal> {
    let (field, _, shortest, longest) = fields(subnet.family());
    let cidr = subnet.cidr;
    if cidr.trunc() != cidr {
        return Err(invalid(
            field,
            format!("{cidr} has host bits: use {}", cidr.trunc()),
        ));
    }
    if cidr.prefix_len() < shortest {
        let reason =
            format!("{cidr} is too large: prefixes from /{shortest} to /{longest} are allowed");
        return Err(invalid(field, reason));
    }
    if matches!(cidr, IpNet::V6(_)) && subnet.span().0 <= MAPPED_LAST {
        return Err(invalid(
            field,
            format!("{cidr} lies among the IPv4-mapped addresses"),
        ));
    }
    if kind == NetworkKind::Vpc && subnet.size() < VPC_SIZE_MIN {
        let reason =
            format!("{cidr} is too small: a VPC's vSwitch has at least {VPC_SIZE_MIN} addresses");
        return Err(invalid(field, reason));
    }
    subnet
        .gateway
        .map_or(Ok(()), |gateway| check_gateway(subnet, kind, gateway))
}

fn check_gateway(subnet: &Subnet, kind: NetworkKind, gateway: IpAddr) -> Result<(), Refusal> {
    let (_, field, ..) = fields(subnet.family());
    let cidr = subnet.cidr;
    if !subnet.contains(gateway) {
        return Err(invalid(field, format!("{gateway} lies outside {cidr}")));
    }
    let by_rule = subnet.gateway(kind);
    if by_rule != Some(gateway) {
        let rule = by_rule.map_or_else(String::new, |rule| rule.to_string());
        let reason = format!("{gateway} is not the VPC's gateway of {cidr}, which is {rule}");
        return Err(invalid(field, reason));
    }
    let (first, last) = subnet.span();
    let is_end = [first, last].contains(&number(gateway));
    if is_end && matches!(cidr, IpNet::V4(net) if net.prefix_len() < 31) {
        let reason = format!("{gateway} is the network or the broadcast address of {cidr}");
        return Err(invalid(field, reason));
    }
    Ok(())
}

fn check_exclusions(exclusions: &[AddressRange], row: &VSwitch) -> Result<(), Refusal> {
    if exclusions.len() > EXCLUSIONS_MAX {
        let reason = format!(
            "has {} ranges, at most {EXCLUSIONS_MAX} are allowed",
            exclusions.len()
        );
        return Err(invalid("exclusions", reason));
    }
    for AddressRange { first, last } in exclusions {
        let inside = |subnet: &Subnet| subnet.contains(*first) && subnet.contains(*last);
        if first > last || !row.subnets().any(inside) {
            let reason = format!("{first}-{last} is not a range in one of the subnets");
            return Err(invalid("exclusions", reason));
        }
    }
    for subnet in row.subnets() {
        let inside = |range: &&AddressRange| subnet.contains(range.first);
        let kept: u128 = row
            .excluded
            .iter()
            .filter(inside)
            .map(AddressRange::size)
            .sum();
        if kept >= subnet.size() {
            let (field, ..) = fields(subnet.family());
            return Err(invalid(
                field,
                format!("{} has no address left after the exclusions", subnet.cidr),
            ));
        }
    }
    Ok(())
}

fn check_overlap(context: &Context, subnet: &Subnet) -> Result<(), Refusal> {
    let Some(other) = context.ledger.vswitches.overlapping(subnet.span()) else {
        return Ok(());
    };
    let other = context.vswitch(other)?;
    let theirs = other.row.subnet(subnet.family());
    Err(Refusal::Overlap {
        cidr: subnet.cidr.to_string(),
        other: theirs.map_or_else(String::new, |subnet| subnet.cidr.to_string()),
        vswitch: other.row.name.clone(),
    })
}

/// The cloud's vSwitch is one of a VPC, and it is one here.
fn check_cloud(context: &Context, row: &VSwitch) -> Result<(), Refusal> {
    let Some(cloud) = &row.cloud else {
        return Ok(());
    };
    if row.kind != NetworkKind::Vpc {
        let reason = format!("{cloud}: a vSwitch of a routed network is in no cloud");
        return Err(invalid("cloud_id", reason));
    }
    match context.ledger.vswitch_in_cloud(cloud) {
        None => Ok(()),
        Some(other) => Err(Refusal::AlreadyExists {
            what: "vSwitch",
            name: format!("{} with cloud_id {cloud}", other.name),
        }),
    }
}

#[cfg(test)]
mod tests;
