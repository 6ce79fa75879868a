//! AttachNetworkInterface and DetachNetworkInterface (ECS API), to and from an instance or a trunk of it.

use crate::eni::{EniKind, EniStatus};
use crate::simulator::eni::Eni;
use crate::simulator::refusal::Refusal;
use crate::simulator::request::Request;
use crate::simulator::world::World;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn attach(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    let eni = world.eni(request.required("NetworkInterfaceId")?)?;
    let id = eni.id.clone();
    let trunk = request.text("TrunkNetworkInstanceId");
    let instance = target(world, request, trunk)?;
    check_attach(world, eni, &instance, trunk)?;
    let vlan = trunk.map(|trunk| free_vlan(world, trunk));
    let (trunk, due_ms) = (
        trunk.map(str::to_owned),
        world.now_ms + world.setup.times.attach_ms,
    );
    world.change(&id, |eni| {
        if trunk.is_some() {
            eni.kind = EniKind::Member;
        }
        eni.status = EniStatus::Attaching;
        eni.instance = Some(instance);
        eni.trunk = trunk;
        eni.vlan = vlan;
        eni.due_ms = due_ms;
    });
    Ok(json!({}))
}

/// The instance: as named, or the one that the trunk is on.
fn target(world: &World, request: &Request, trunk: Option<&str>) -> Result<String, Refusal> {
    if let Some(named) = request.text("InstanceId") {
        return Ok(world.instance(named)?.id.clone());
    }
    let of_trunk = trunk.and_then(|trunk| world.enis.get(trunk)?.instance.clone());
    of_trunk.ok_or_else(|| Refusal::missing("InstanceId"))
}

fn check_attach(
    world: &World,
    eni: &Eni,
    instance: &str,
    trunk: Option<&str>,
) -> Result<(), Refusal> {
    if eni.kind == EniKind::Primary || (trunk.is_some() && eni.kind == EniKind::Trunk) {
        return Err(Refusal::new(
            400,
            "InvalidOperation.InvalidEniType",
            "The ENI is of a type that cannot be attached so.",
        ));
    }
    if eni.status != EniStatus::Available {
        return Err(Refusal::eni_state(&eni.id, eni.status.name()));
    }
    let instance = world.instance(instance)?;
    if !matches!(instance.status.as_str(), "Running" | "Stopped") {
        let message = "The current status of the resource does not support this operation.";
        return Err(Refusal::new(403, "IncorrectInstanceStatus", message));
    }
    let home = world.vswitch(&instance.vswitch)?;
    if home.vpc != eni.vpc {
        let message = "The specified ENI and ECS instance are not in the same VPC.";
        return Err(Refusal::new(403, "InvalidOperation.VpcMismatch", message));
    }
    if home.zone != eni.zone {
        let message = "The specified ENI and ECS instance are not in the same availability zone.";
        return Err(Refusal::new(
            400,
            "InvalidOperation.AvailabilityZoneMismatch",
            message,
        ));
    }
    let kind = world.type_of(instance)?;
    if !kind.trunk && (trunk.is_some() || eni.kind == EniKind::Trunk) {
        return Err(Refusal::new(
            400,
            "InvalidInstanceType.NotSupported",
            "The instance type has no trunks.",
        ));
    }
    check_trunk(world, &instance.id, trunk)?;
    world.check_instance(instance, trunk.is_some())?;
    super::assign::check_room(eni, 0, (kind.addresses, kind.ipv6))
}

fn check_trunk(world: &World, instance: &str, trunk: Option<&str>) -> Result<(), Refusal> {
    let Some(trunk) = trunk else { return Ok(()) };
    let trunk = world.eni(trunk)?;
    if trunk.kind != EniKind::Trunk || trunk.instance.as_deref() != Some(instance) {
        return Err(Refusal::new(
            400,
            "InvalidOperation.InvalidEniType",
            "What is named as trunk is no trunk of the instance.",
        ));
    }
    if trunk.status != EniStatus::InUse {
        return Err(Refusal::eni_state(&trunk.id, trunk.status.name()));
    }
    Ok(())
}

/// The lowest VLAN id that no member of the trunk has.
fn free_vlan(world: &World, trunk: &str) -> u16 {
    let members = world
        .enis
        .values()
        .filter(|eni| eni.trunk.as_deref() == Some(trunk));
    let used: BTreeSet<u16> = members.filter_map(|eni| eni.vlan).collect();
    (1..u16::MAX)
        .find(|vlan| !used.contains(vlan))
        .unwrap_or(u16::MAX)
}

pub(super) fn detach(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    let eni = world.eni(request.required("NetworkInterfaceId")?)?;
    let id = eni.id.clone();
    if eni.kind == EniKind::Primary {
        let message = "The primary ENI cannot be detached.";
        return Err(Refusal::new(
            400,
            "InvalidOperation.DetachPrimaryEniNotAllowed",
            message,
        ));
    }
    if let Some(named) = request.text("InstanceId") {
        world.instance(named)?;
    }
    if eni.status != EniStatus::InUse {
        return Err(Refusal::eni_state(&id, eni.status.name()));
    }
    let elsewhere = |named: Option<&str>, is: &Option<String>| {
        named.is_some_and(|named| is.as_deref() != Some(named))
    };
    if elsewhere(request.text("InstanceId"), &eni.instance)
        || elsewhere(request.text("TrunkNetworkInstanceId"), &eni.trunk)
    {
        let message = "The specified ENI is not attached to the specified instance.";
        return Err(Refusal::new(404, "InvalidInstanceId.NotFound", message));
    }
    if world
        .enis
        .values()
        .any(|other| other.trunk.as_deref() == Some(&id))
    {
        return Err(Refusal::eni_state(&id, "a trunk with members"));
    }
    let due_ms = world.now_ms + world.setup.times.detach_ms;
    world.change(&id, |eni| {
        eni.status = EniStatus::Detaching;
        eni.due_ms = due_ms;
    });
    Ok(json!({}))
}
