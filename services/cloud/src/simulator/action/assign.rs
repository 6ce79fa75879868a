//! AssignPrivateIpAddresses and AssignIpv6Addresses (ECS API): by name or by count.

use crate::simulator::action::{named, part, refuse_prefixes};
use crate::simulator::eni::Eni;
use crate::simulator::refusal::Refusal;
use crate::simulator::request::Request;
use crate::simulator::world::World;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv6 addresses that one call may name (ECS API, `Ipv6Address.N`).
const IPV6_PER_CALL: usize = 10;

pub(super) fn assign4(
    world: &mut World,
    request: &Request,
    partial: bool,
) -> Result<Value, Refusal> {
    refuse_prefixes(request)?;
    let eni = world.eni(request.required("NetworkInterfaceId")?)?.clone();
    let mut wanted: Vec<Ipv4Addr> = named(request, "PrivateIpAddress")?;
    let count = either(request, "SecondaryPrivateIpAddressCount", wanted.len())?;
    world.check_steady(&eni)?;
    check_room(&eni, count, (world.room(&eni)?.0, usize::MAX))?;
    let vswitch = world.vswitch(&eni.vswitch)?.clone();
    for address in &wanted {
        world.check_free(&vswitch, IpAddr::V4(*address))?;
    }
    world.check_ipv4(&vswitch, &eni.security_groups, count)?;
    if wanted.is_empty() {
        wanted = world.pick4(&vswitch, count);
    }
    wanted.truncate(part(count, partial));
    for address in &wanted {
        world.take(&eni, IpAddr::V4(*address));
    }
    world.change(&eni.id, |eni| eni.secondary.extend(&wanted));
    let set =
        json!({ "NetworkInterfaceId": eni.id, "PrivateIpSet": { "PrivateIpAddress": wanted } });
    Ok(json!({ "AssignedPrivateIpAddressesSet": set }))
}

pub(super) fn assign6(
    world: &mut World,
    request: &Request,
    partial: bool,
) -> Result<Value, Refusal> {
    refuse_prefixes(request)?;
    let eni = world.eni(request.required("NetworkInterfaceId")?)?.clone();
    let mut wanted: Vec<Ipv6Addr> = named(request, "Ipv6Address")?;
    let count = either(request, "Ipv6AddressCount", wanted.len())?;
    if count > IPV6_PER_CALL {
        return Err(Refusal::invalid("Ipv6Address"));
    }
    world.check_steady(&eni)?;
    let vswitch = world.vswitch(&eni.vswitch)?.clone();
    if vswitch.ipv6_cidr.is_none() {
        let message = format!("The VSwitch {} has no IPv6.", vswitch.id);
        return Err(Refusal::new(400, "InvalidVSwitch.Ipv6NotTurnOn", message));
    }
    if eni.ipv6.len() + count > world.room(&eni)?.1 {
        return Err(too_many6(&eni));
    }
    for address in &wanted {
        world.check_free(&vswitch, IpAddr::V6(*address))?;
    }
    if wanted.is_empty() {
        wanted = world.pick6(&vswitch, count);
    }
    wanted.truncate(part(count, partial));
    for address in &wanted {
        world.take(&eni, IpAddr::V6(*address));
    }
    world.change(&eni.id, |eni| eni.ipv6.extend(&wanted));
    Ok(json!({ "NetworkInterfaceId": eni.id, "Ipv6Sets": { "Ipv6Address": wanted } }))
}

/// How many: names or a count, not both and not neither.
fn either(request: &Request, count: &str, named: usize) -> Result<usize, Refusal> {
    match (request.count(count)?, named) {
        (Some(0), 0) => Err(Refusal::invalid(count)),
        (Some(counted), 0) => Ok(counted),
        (None, 0) => Err(Refusal::missing(count)),
        (Some(_), _) => Err(Refusal::invalid(count)),
        (None, named) => Ok(named),
    }
}

/// Refuses more addresses than an ENI has room for: `more` IPv4 ones come, `room` is for IPv4 and IPv6.
pub(super) fn check_room(eni: &Eni, more: usize, room: (usize, usize)) -> Result<(), Refusal> {
    if eni.ipv4_count() + more > room.0 {
        let message = format!(
            "The ENI {} has reached its limit of {} private IPs.",
            eni.id, room.0
        );
        return Err(Refusal::new(
            400,
            "InvalidOperation.Ipv4CountExceeded",
            message,
        ));
    }
    if eni.ipv6.len() > room.1 {
        return Err(too_many6(eni));
    }
    Ok(())
}

fn too_many6(eni: &Eni) -> Refusal {
    let message = format!(
        "The ENI {} has reached its limit of IPv6 addresses.",
        eni.id
    );
    Refusal::new(400, "InvalidOperation.Ipv6CountExceeded", message)
}
