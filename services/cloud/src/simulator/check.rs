//! The audit: what must be true of the world at any moment, counted anew from the ENIs.

use crate::eni::{EniKind, EniStatus};
use crate::simulator::Simulator;
use crate::simulator::eni::Eni;
use crate::simulator::world::{Holder, World};
use std::collections::BTreeMap;
use std::net::IpAddr;

// === impl Simulator ===

impl Simulator {
    /// What is wrong, in words; empty = nothing.
    pub fn check(&self) -> Vec<String> {
        let world = &self.world;
        let mut wrong = addresses(world);
        wrong.extend(world.enis.values().flat_map(|eni| state(world, eni)));
        wrong.extend(quotas(world));
        wrong
    }
}

/// No address is on two ENIs, each is one that an ENI may have, and the books say the same as the ENIs.
fn addresses(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut on: BTreeMap<(String, IpAddr), &str> = BTreeMap::new();
    for eni in world.enis.values() {
        for address in eni.addresses() {
            if let Some(other) = on.insert((eni.vswitch.clone(), address), &eni.id) {
                wrong.push(format!("{address} is on {other} and on {}", eni.id));
            }
            if !world
                .vswitch(&eni.vswitch)
                .is_ok_and(|vswitch| vswitch.may_have(address))
            {
                wrong.push(format!("{address} on {} is none of its vSwitch", eni.id));
            }
        }
    }
    for (place, holder) in &world.holders {
        match holder {
            Holder::Eni(eni) if on.remove(place) != Some(eni) => {
                wrong.push(format!("{} is not on {eni}", place.1))
            }
            Holder::Foreign(_) if on.contains_key(place) => {
                wrong.push(format!("{} is somebody else's too", place.1))
            }
            _ => {}
        }
    }
    wrong.extend(
        on.into_iter()
            .map(|(place, eni)| format!("{} on {eni} is in no book", place.1)),
    );
    wrong
}

/// An ENI is on something exactly in the states that say so, and a member exactly in a trunk of its instance.
fn state(world: &World, eni: &Eni) -> Vec<String> {
    let mut wrong = Vec::new();
    let on = matches!(
        eni.status,
        EniStatus::Attaching | EniStatus::InUse | EniStatus::Detaching
    );
    if on != eni.instance.is_some() {
        wrong.push(format!(
            "{} is {} on {:?}",
            eni.id,
            eni.status.name(),
            eni.instance
        ));
    }
    if (eni.kind == EniKind::Member) != eni.trunk.is_some() {
        wrong.push(format!(
            "{} is a {} in {:?}",
            eni.id,
            eni.kind.name(),
            eni.trunk
        ));
    }
    if let Some(trunk) = &eni.trunk {
        let there = world.enis.get(trunk);
        if there.is_none_or(|trunk| trunk.kind != EniKind::Trunk || trunk.instance != eni.instance)
        {
            wrong.push(format!("{} is in {trunk}, which is no trunk there", eni.id));
        }
    }
    match world.room(eni) {
        Ok((v4, v6)) if eni.ipv4_count() <= v4 && eni.ipv6.len() <= v6 => {}
        // What came off an instance may have more than an ENI on nothing may be given.
        _ if eni.instance.is_none() => {}
        _ => wrong.push(format!("{} has more addresses than it may", eni.id)),
    }
    wrong
}

fn quotas(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    for instance in &world.setup.instances {
        let Ok(kind) = world.type_of(instance) else {
            continue;
        };
        if world.enis_on(&instance.id) > kind.enis
            || world.members_on(&instance.id) > kind.members()
        {
            wrong.push(format!("{} has too many ENIs", instance.id));
        }
    }
    let limits = &world.setup.limits;
    for group in &world.setup.security_groups {
        if world.addresses_of(&group.id) > limits.addresses_per_security_group {
            wrong.push(format!("{} has too many addresses", group.id));
        }
    }
    for vswitch in &world.setup.vswitches {
        // Somebody else's do not count against the account, but take room.
        if world.used4(&vswitch.id) > limits.addresses_per_vswitch {
            wrong.push(format!("{} has too many addresses", vswitch.id));
        }
    }
    let enis = world
        .enis
        .values()
        .filter(|eni| eni.kind != EniKind::Primary)
        .count();
    if enis > limits.enis {
        wrong.push("the account has too many ENIs".into());
    }
    wrong
}
