//! DescribeNetworkInterfaces and DescribeNetworkInterfaceAttribute (ECS API). Both may be a moment behind.

use crate::simulator::action::page::Page;
use crate::simulator::eni::Eni;
use crate::simulator::refusal::Refusal;
use crate::simulator::request::Request;
use crate::simulator::world::World;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The account's number, as `OwnerId` shows it.
pub(super) const OWNER: &str = "1234567890123456";
/// ENIs on one page (ECS API, `MaxResults`).
const LONGEST: usize = 500;
/// ENIs that one call may name (ECS API, `NetworkInterfaceId.N`).
const NAMED: usize = 100;

pub(super) fn many(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    let named: Vec<String> = request
        .list("NetworkInterfaceId")
        .into_iter()
        .map(str::to_owned)
        .collect();
    if named.len() > NAMED {
        return Err(Refusal::invalid("NetworkInterfaceId"));
    }
    let page = Page::of(request, LONGEST)?;
    let mut found = Vec::new();
    for eni in seen(world) {
        if (named.is_empty() || named.contains(&eni.id)) && fits(&eni, request) {
            found.push(eni.json(OWNER));
        }
    }
    Ok(page.answer("NetworkInterfaceSets", "NetworkInterfaceSet", found))
}

pub(super) fn one(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    let id = request.required("NetworkInterfaceId")?.to_owned();
    let eni = look(world, &id).ok_or_else(|| Refusal::no_eni(&id))?;
    let mut shown = eni.json(OWNER);
    let of_it = world
        .enis
        .values()
        .filter(|member| member.trunk.as_deref() == Some(&id));
    let members: Vec<&str> = of_it.map(|member| member.id.as_str()).collect();
    if !members.is_empty() {
        shown["Attachment"]["MemberNetworkInterfaceIds"] =
            json!({ "MemberNetworkInterfaceId": members });
    }
    Ok(shown)
}

fn seen(world: &mut World) -> Vec<Eni> {
    let ids: BTreeSet<String> = world
        .enis
        .keys()
        .chain(world.before.keys())
        .cloned()
        .collect();
    ids.iter().filter_map(|id| look(world, id)).collect()
}

/// What a look shows of an ENI: what it is, or what it was before its last change.
fn look(world: &mut World, id: &str) -> Option<Eni> {
    let recent = |at_ms: u64| world.now_ms - at_ms < world.setup.times.stale_ms;
    let before = world
        .before
        .get(id)
        .filter(|(at_ms, _)| recent(*at_ms))
        .map(|(_, eni)| eni.clone());
    match before {
        Some(before) if world.random.chance(world.setup.faults.stale) => before,
        _ => world.enis.get(id).cloned(),
    }
}

fn fits(eni: &Eni, request: &Request) -> bool {
    let same = |name: &str, value: &str| request.text(name).is_none_or(|wanted| wanted == value);
    let one_of = |name: &str, values: Vec<String>| {
        let listed = request.list(name);
        let wanted = request
            .text(name)
            .into_iter()
            .chain(listed)
            .collect::<Vec<_>>();
        wanted.is_empty()
            || wanted
                .iter()
                .any(|wanted| values.iter().any(|value| value == wanted))
    };
    let primary = eni.primary.to_string();
    same("VpcId", &eni.vpc)
        && same("VSwitchId", &eni.vswitch)
        && same("InstanceId", eni.instance.as_deref().unwrap_or(""))
        && same("Type", eni.kind.name())
        && same("Status", eni.status.name())
        && same("NetworkInterfaceName", &eni.name)
        && same("PrimaryIpAddress", &primary)
        && same("ResourceGroupId", &eni.resource_group)
        && one_of("SecurityGroupId", eni.security_groups.clone())
        && one_of(
            "PrivateIpAddress",
            eni.addresses().iter().map(ToString::to_string).collect(),
        )
        && one_of(
            "Ipv6Address",
            eni.ipv6.iter().map(ToString::to_string).collect(),
        )
        && request
            .tags()
            .iter()
            .all(|(key, value)| tagged(eni, key, value))
}

/// A filter without a value asks for the key only.
fn tagged(eni: &Eni, key: &str, value: &str) -> bool {
    eni.tags
        .get(key)
        .is_some_and(|has| value.is_empty() || has == value)
}
