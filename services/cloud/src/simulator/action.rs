//! The actions: each checks everything first, and changes the world only when nothing is left to refuse.

mod assign;
mod attach;
mod create;
mod delete;
mod describe_eni;
mod describe_other;
mod page;
mod unassign;

use crate::call::Action;
use crate::simulator::refusal::Refusal;
use crate::simulator::request::Request;
use crate::simulator::world::World;
use serde_json::Value;

/// Carries one out. `partial`: of the addresses asked for only the first half is assigned.
pub(super) fn carry_out(
    world: &mut World,
    action: Action,
    request: &Request,
    partial: bool,
) -> Result<Value, Refusal> {
    match action {
        Action::CreateNetworkInterface => create::create(world, request),
        Action::AttachNetworkInterface => attach::attach(world, request),
        Action::DetachNetworkInterface => attach::detach(world, request),
        Action::DeleteNetworkInterface => delete::delete(world, request),
        Action::DescribeNetworkInterfaces => describe_eni::many(world, request),
        Action::DescribeNetworkInterfaceAttribute => describe_eni::one(world, request),
        Action::AssignPrivateIpAddresses => assign::assign4(world, request, partial),
        Action::UnassignPrivateIpAddresses => unassign::unassign4(world, request),
        Action::AssignIpv6Addresses => assign::assign6(world, request, partial),
        Action::UnassignIpv6Addresses => unassign::unassign6(world, request),
        Action::DescribeInstanceTypes => describe_other::instance_types(world, request),
        Action::DescribeInstances => describe_other::instances(world, request),
        Action::DescribeSecurityGroups => describe_other::security_groups(world, request),
        Action::DescribeAccountAttributes => describe_other::account_attributes(world, request),
        Action::DescribeVSwitches => describe_other::vswitches(world, request),
    }
}

/// Addresses that are named, without doubles.
fn named<T: std::str::FromStr + PartialEq>(
    request: &Request,
    name: &str,
) -> Result<Vec<T>, Refusal> {
    let mut addresses = Vec::new();
    for text in request.list(name) {
        let address = text.parse().map_err(|_| {
            Refusal::new(400, "InvalidIp.Address", format!("{text} is no address."))
        })?;
        if addresses.contains(&address) {
            return Err(Refusal::new(
                400,
                "InvalidIp.IpRepeated",
                format!("The specified IP {text} is repeated."),
            ));
        }
        addresses.push(address);
    }
    Ok(addresses)
}

/// Prefixes are not simulated: refused as a vSwitch without reserved blocks refuses them.
fn refuse_prefixes(request: &Request) -> Result<(), Refusal> {
    for name in ["Ipv4Prefix", "Ipv6Prefix"] {
        let count = request.count(&format!("{name}Count"))?.unwrap_or(0);
        if count > 0 || !request.list(name).is_empty() {
            return Err(Refusal::new(
                400,
                "InvalidParameter",
                format!("The vSwitch has no CIDR block reserved for {name}."),
            ));
        }
    }
    Ok(())
}

/// How many of so many are carried out.
fn part(count: usize, partial: bool) -> usize {
    if partial { count.div_ceil(2) } else { count }
}
