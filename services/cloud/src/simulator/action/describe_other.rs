//! DescribeInstanceTypes, DescribeInstances, DescribeSecurityGroups (ECS API) and DescribeVSwitches (VPC API).

use crate::simulator::action::describe_eni::OWNER;
use crate::simulator::action::page::Page;
use crate::simulator::catalogue::InstanceType;
use crate::simulator::refusal::Refusal;
use crate::simulator::request::Request;
use crate::simulator::setup::{Instance, SecurityGroup, VSwitch};
use crate::simulator::world::World;
use serde_json::{Value, json};

/// Entries on one page of ECS's lists.
const LONGEST: usize = 100;
/// vSwitches on one page (VPC API, `PageSize`).
const LONGEST_VSWITCHES: usize = 50;
/// Types that one call may name (ECS API, `InstanceTypes.N`).
const TYPES: usize = 10;

pub(super) fn instance_types(world: &World, request: &Request) -> Result<Value, Refusal> {
    let named = request.list("InstanceTypes");
    if named.len() > TYPES {
        return Err(Refusal::invalid("InstanceTypes"));
    }
    let wanted = |kind: &&InstanceType| named.is_empty() || named.contains(&kind.name.as_str());
    let found = world
        .setup
        .instance_types
        .iter()
        .filter(wanted)
        .map(instance_type)
        .collect();
    let mut whole = request.clone();
    // Without a length the list is as long as it may be.
    whole
        .parameters
        .entry("MaxResults".into())
        .or_insert(LONGEST.to_string());
    let mut body = Page::of(&whole, LONGEST)?.answer("InstanceTypes", "InstanceType", found);
    if let Some(body) = body.as_object_mut() {
        body.remove("TotalCount");
        body.remove("PageSize");
    }
    Ok(body)
}

fn instance_type(kind: &InstanceType) -> Value {
    let family = kind
        .name
        .rsplit_once('.')
        .map_or(kind.name.as_str(), |(family, _)| family);
    json!({
        "InstanceTypeId": kind.name,
        "InstanceTypeFamily": family,
        "EniQuantity": kind.enis,
        "EniPrivateIpAddressQuantity": kind.addresses,
        "EniIpv6AddressQuantity": kind.ipv6,
        "EniTotalQuantity": kind.total,
        "EniTrunkSupported": kind.trunk,
        "EriQuantity": kind.rdma,
        "NetworkCardQuantity": 1,
        "NetworkCards": { "NetworkCardInfo": [] },
    })
}

/// Attributes that are not simulated are left out, as the service leaves out those that an account does not have.
pub(super) fn account_attributes(world: &World, request: &Request) -> Result<Value, Refusal> {
    let named = request.list("AttributeName");
    let wanted = named.is_empty() || named.contains(&"max-elastic-network-interfaces");
    let quota = world.setup.limits.enis.to_string();
    let item = json!({
        "AttributeName": "max-elastic-network-interfaces",
        "AttributeValues": {"ValueItem": [{"Value": quota, "ZoneId": "", "DiskCategory": ""}]},
    });
    let items = if wanted { vec![item] } else { vec![] };
    Ok(json!({"AccountAttributeItems": {"AccountAttributeItem": items}}))
}

pub(super) fn instances(world: &World, request: &Request) -> Result<Value, Refusal> {
    let named: Option<Vec<String>> = match request.text("InstanceIds") {
        Some(text) => {
            Some(serde_json::from_str(text).map_err(|_| Refusal::invalid("InstanceIds"))?)
        }
        None => None,
    };
    if named.as_ref().is_some_and(|named| named.len() > LONGEST) {
        return Err(Refusal::invalid("InstanceIds"));
    }
    let mut found = Vec::new();
    for instance in &world.setup.instances {
        let home = world.vswitch(&instance.vswitch)?;
        let same =
            |name: &str, value: &str| request.text(name).is_none_or(|wanted| wanted == value);
        let fits = same("VpcId", &home.vpc)
            && same("VSwitchId", &home.id)
            && same("ZoneId", &home.zone)
            && same("InstanceType", &instance.instance_type)
            && same("Status", &instance.status);
        if fits
            && named
                .as_ref()
                .is_none_or(|named| named.contains(&instance.id))
        {
            found.push(shown(world, instance, home));
        }
    }
    Ok(Page::of(request, LONGEST)?.answer("Instances", "Instance", found))
}

fn shown(world: &World, instance: &Instance, home: &VSwitch) -> Value {
    let primary = world.primary_of(&instance.id).map(|eni| eni.primary);
    let own = world
        .enis
        .values()
        .filter(|eni| eni.instance.as_deref() == Some(&instance.id) && eni.trunk.is_none());
    let enis = own.map(|eni| {
        let mut shown = eni.json(OWNER);
        shown["PrimaryIpAddress"] = json!(eni.primary);
        shown
    });
    json!({
        "InstanceId": instance.id,
        "InstanceType": instance.instance_type,
        "RegionId": world.setup.region,
        "ZoneId": home.zone,
        "Status": instance.status,
        "InstanceNetworkType": "vpc",
        "SecurityGroupIds": { "SecurityGroupId": [instance.security_group] },
        "VpcAttributes": {
            "VpcId": home.vpc,
            "VSwitchId": home.id,
            "PrivateIpAddress": { "IpAddress": primary.into_iter().collect::<Vec<_>>() },
        },
        "NetworkInterfaces": { "NetworkInterface": enis.collect::<Vec<_>>() },
    })
}

pub(super) fn security_groups(world: &World, request: &Request) -> Result<Value, Refusal> {
    let named: Option<Vec<String>> = match request.text("SecurityGroupIds") {
        Some(text) => {
            Some(serde_json::from_str(text).map_err(|_| Refusal::invalid("SecurityGroupIds"))?)
        }
        None => request
            .text("SecurityGroupId")
            .map(|name| vec![name.to_owned()]),
    };
    if named.as_ref().is_some_and(|named| named.len() > LONGEST) {
        return Err(Refusal::invalid("SecurityGroupIds"));
    }
    let vpc = request.text("VpcId");
    let wanted = |group: &&SecurityGroup| {
        named.as_ref().is_none_or(|named| named.contains(&group.id))
            && vpc.is_none_or(|vpc| vpc == group.vpc)
    };
    let shown = |group: &SecurityGroup| json!({ "SecurityGroupId": group.id, "VpcId": group.vpc, "SecurityGroupType": "normal" });
    let found = world
        .setup
        .security_groups
        .iter()
        .filter(wanted)
        .map(shown)
        .collect();
    let mut body = Page::of(request, LONGEST)?.answer("SecurityGroups", "SecurityGroup", found);
    body["RegionId"] = json!(world.setup.region);
    Ok(body)
}

pub(super) fn vswitches(world: &World, request: &Request) -> Result<Value, Refusal> {
    let same = |name: &str, value: &str| request.text(name).is_none_or(|wanted| wanted == value);
    let wanted = |vswitch: &&VSwitch| {
        same("VSwitchId", &vswitch.id)
            && same("VpcId", &vswitch.vpc)
            && same("ZoneId", &vswitch.zone)
    };
    let shown = |vswitch: &VSwitch| {
        json!({
            "VSwitchId": vswitch.id,
            "VSwitchName": vswitch.id,
            "VpcId": vswitch.vpc,
            "ZoneId": vswitch.zone,
            "Status": "Available",
            "CidrBlock": vswitch.cidr.to_string(),
            "Ipv6CidrBlock": vswitch.ipv6_cidr.map_or(String::new(), |cidr| cidr.to_string()),
            "EnabledIpv6": vswitch.ipv6_cidr.is_some(),
            "AvailableIpAddressCount": world.left4(vswitch),
            "IsDefault": false,
        })
    };
    let found = world
        .setup
        .vswitches
        .iter()
        .filter(wanted)
        .map(shown)
        .collect();
    Ok(Page::numbered(request, LONGEST_VSWITCHES)?.answer("VSwitches", "VSwitch", found))
}
