//! CreateNetworkInterface (ECS API).

use crate::eni::{EniKind, EniStatus};
use crate::simulator::action::{named, refuse_prefixes};
use crate::simulator::eni::Eni;
use crate::simulator::quota::SECURITY_GROUPS_PER_ENI;
use crate::simulator::refusal::Refusal;
use crate::simulator::request::Request;
use crate::simulator::setup::VSwitch;
use crate::simulator::world::World;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Tags of one ENI (ECS API, `Tag.N`).
const TAGS: usize = 20;

/// Addresses that the new ENI is to have.
struct Wanted {
    primary: Option<Ipv4Addr>,
    secondary: Vec<Ipv4Addr>,
    more4: usize,
    ipv6: Vec<Ipv6Addr>,
    more6: usize,
}

pub(super) fn create(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    let vswitch = world.vswitch(request.required("VSwitchId")?)?.clone();
    let groups = security_groups(world, request, &vswitch)?;
    let kind = kind(request)?;
    refuse_prefixes(request)?;
    if request.tags().len() > TAGS {
        return Err(Refusal::new(
            400,
            "InvalidTagCount",
            "The specified tags are beyond the permitted range.",
        ));
    }
    let wanted = Wanted::read(request)?;
    world.check_account()?;
    wanted.check(world, &vswitch, &groups)?;
    let mut eni = wanted.take(world, &vswitch, groups);
    eni.kind = kind;
    eni.tags = request.tags();
    eni.name = request
        .text("NetworkInterfaceName")
        .unwrap_or("")
        .to_owned();
    eni.description = request.text("Description").unwrap_or("").to_owned();
    eni.resource_group = request.text("ResourceGroupId").unwrap_or("").to_owned();
    eni.delete_on_release =
        request.text("DeleteOnRelease").is_none() || request.flag("DeleteOnRelease");
    if world.setup.times.create_ms > 0 {
        eni.status = EniStatus::Creating;
        eni.due_ms = world.now_ms + world.setup.times.create_ms;
    }
    let shown = eni.json(super::describe_eni::OWNER);
    world.add(eni);
    Ok(shown)
}

fn kind(request: &Request) -> Result<EniKind, Refusal> {
    match request.text("InstanceType").unwrap_or("Secondary") {
        "Secondary" => Ok(EniKind::Secondary),
        "Trunk" => Ok(EniKind::Trunk),
        _ => Err(Refusal::invalid("InstanceType")),
    }
}

fn security_groups(
    world: &World,
    request: &Request,
    vswitch: &VSwitch,
) -> Result<Vec<String>, Refusal> {
    let mut names: Vec<String> = request
        .list("SecurityGroupIds")
        .into_iter()
        .map(str::to_owned)
        .collect();
    match request.text("SecurityGroupId") {
        Some(_) if !names.is_empty() => return Err(Refusal::invalid("SecurityGroupId")),
        Some(name) => names.push(name.to_owned()),
        None if names.is_empty() => return Err(Refusal::missing("SecurityGroupId")),
        None => {}
    }
    if names.len() > SECURITY_GROUPS_PER_ENI {
        return Err(Refusal::new(
            403,
            "SecurityGroupLimitExceeded",
            "An ENI is in too many security groups.",
        ));
    }
    for name in &names {
        let found = world
            .setup
            .security_groups
            .iter()
            .find(|group| group.id == *name);
        let Some(group) = found else {
            let message = format!("The specified security group {name} does not exist.");
            return Err(Refusal::new(
                404,
                "InvalidSecurityGroupId.NotFound",
                message,
            ));
        };
        if group.vpc != vswitch.vpc {
            let message =
                format!("The security group {name} and the VSwitch are not in the same VPC.");
            return Err(Refusal::new(
                400,
                "InvalidSecurityGroupId.NotInVpc",
                message,
            ));
        }
    }
    Ok(names)
}

// === impl Wanted ===

impl Wanted {
    fn read(request: &Request) -> Result<Self, Refusal> {
        let primary = request.text("PrimaryIpAddress").map(str::parse).transpose();
        let primary: Option<Ipv4Addr> =
            primary.map_err(|_| Refusal::invalid("PrimaryIpAddress"))?;
        let mut secondary: Vec<Ipv4Addr> = named(request, "PrivateIpAddress")?;
        // The primary address may stand in the list too (ECS API, `PrivateIpAddress.N`).
        secondary.retain(|address| Some(*address) != primary);
        let more4 = request
            .count("SecondaryPrivateIpAddressCount")?
            .unwrap_or(0);
        let ipv6: Vec<Ipv6Addr> = named(request, "Ipv6Address")?;
        let more6 = request.count("Ipv6AddressCount")?.unwrap_or(0);
        if more4 > 0 && !secondary.is_empty() {
            return Err(Refusal::invalid("SecondaryPrivateIpAddressCount"));
        }
        if more6 > 0 && !ipv6.is_empty() {
            return Err(Refusal::invalid("Ipv6AddressCount"));
        }
        Ok(Self {
            primary,
            secondary,
            more4,
            ipv6,
            more6,
        })
    }

    fn check(&self, world: &World, vswitch: &VSwitch, groups: &[String]) -> Result<(), Refusal> {
        let (v4, v6) = (
            1 + self.secondary.len() + self.more4,
            self.ipv6.len() + self.more6,
        );
        let room = world.setup.limits.addresses_while_available;
        if v4 > room {
            let message = format!("An ENI that is on nothing has at most {room} private IPs.");
            return Err(Refusal::new(
                400,
                "InvalidOperation.Ipv4CountExceeded",
                message,
            ));
        }
        if v6 > room {
            let message = format!("An ENI that is on nothing has at most {room} IPv6 addresses.");
            return Err(Refusal::new(
                400,
                "InvalidOperation.Ipv6CountExceeded",
                message,
            ));
        }
        if v6 > 0 && vswitch.ipv6_cidr.is_none() {
            let message = format!("The VSwitch {} has no IPv6.", vswitch.id);
            return Err(Refusal::new(400, "InvalidVSwitch.Ipv6NotTurnOn", message));
        }
        let v4_named = self
            .primary
            .iter()
            .chain(&self.secondary)
            .map(|&address| IpAddr::V4(address));
        for address in v4_named.chain(self.ipv6.iter().map(|&address| IpAddr::V6(address))) {
            world.check_free(vswitch, address)?;
        }
        world.check_ipv4(vswitch, groups, v4)
    }

    /// Nothing can be lacking any more: `check` has counted.
    fn take(self, world: &mut World, vswitch: &VSwitch, groups: Vec<String>) -> Eni {
        let taken = self.secondary.len() + usize::from(self.primary.is_some());
        let more = self.more4 + usize::from(self.primary.is_none());
        let mut free = world.pick4(vswitch, more + taken);
        free.retain(|address| Some(*address) != self.primary && !self.secondary.contains(address));
        free.truncate(more);
        let mut free = free.into_iter();
        let primary = self.primary.or_else(|| free.next());
        let mut eni = world.blank(vswitch, primary.unwrap_or(Ipv4Addr::UNSPECIFIED), groups);
        eni.secondary = self.secondary;
        eni.secondary.extend(free);
        eni.ipv6 = if self.more6 > 0 {
            world.pick6(vswitch, self.more6)
        } else {
            self.ipv6
        };
        eni
    }
}
