//! UnassignPrivateIpAddresses and UnassignIpv6Addresses (ECS API): all of what is named, or nothing.

use crate::simulator::action::{named, refuse_prefixes};
use crate::simulator::eni::Eni;
use crate::simulator::refusal::Refusal;
use crate::simulator::request::Request;
use crate::simulator::world::World;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) fn unassign4(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    let eni = steady(world, request)?;
    let away: Vec<Ipv4Addr> = named(request, "PrivateIpAddress")?;
    check(&away, "PrivateIpAddress")?;
    for address in &away {
        if *address == eni.primary {
            let message = "The primary IP of an ENI cannot be unassigned.";
            return Err(Refusal::new(400, "InvalidIp.PrimaryIp", message));
        }
        if !eni.secondary.contains(address) {
            return Err(unassigned(IpAddr::V4(*address)));
        }
    }
    world.change(&eni.id, |eni| {
        eni.secondary.retain(|address| !away.contains(address))
    });
    for address in away {
        world.free(&eni.vswitch, IpAddr::V4(address));
    }
    Ok(json!({}))
}

pub(super) fn unassign6(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    let eni = steady(world, request)?;
    let away: Vec<Ipv6Addr> = named(request, "Ipv6Address")?;
    check(&away, "Ipv6Address")?;
    if let Some(address) = away.iter().find(|address| !eni.ipv6.contains(address)) {
        return Err(unassigned(IpAddr::V6(*address)));
    }
    world.change(&eni.id, |eni| {
        eni.ipv6.retain(|address| !away.contains(address))
    });
    for address in away {
        world.free(&eni.vswitch, IpAddr::V6(address));
    }
    Ok(json!({}))
}

fn steady(world: &World, request: &Request) -> Result<Eni, Refusal> {
    refuse_prefixes(request)?;
    let eni = world.eni(request.required("NetworkInterfaceId")?)?;
    world.check_steady(eni)?;
    Ok(eni.clone())
}

fn check<T>(away: &[T], name: &str) -> Result<(), Refusal> {
    if away.is_empty() {
        Err(Refusal::missing(name))
    } else {
        Ok(())
    }
}

fn unassigned(address: IpAddr) -> Refusal {
    Refusal::new(
        400,
        "InvalidIp.IpUnassigned",
        format!("The specified IP {address} is not assigned to the ENI."),
    )
}
