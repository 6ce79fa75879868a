//! Instance types, instances, security groups, vSwitches.

use super::Unreadable;
use super::read::{filled, list, may, must, number};
use crate::alibaba::documents::*;
use crate::alibaba::product::ENI_QUOTA;
use crate::id::*;
use crate::instance_type::InstanceTypeFacts;
use crate::reply::{Body, Page};
use crate::vswitch::{CloudVSwitch, Instance, SecurityGroup};

/// The id of the call, as it came, and what it says.
type Said = (Option<String>, Body);

pub fn instance_types(document: InstanceTypesDocument) -> Result<Said, Unreadable> {
    let types = list("InstanceTypes", document.instance_types)?;
    let items = types.0.into_iter().map(instance_type);
    let page = Page {
        items: items.collect::<Result<_, _>>()?,
        next: filled(document.next_token),
    };
    Ok((document.request_id, Body::InstanceTypes(page)))
}

fn instance_type(document: InstanceTypeDocument) -> Result<InstanceTypeFacts, Unreadable> {
    let name = document.instance_type_id;
    Ok(InstanceTypeFacts {
        name: must("InstanceTypeId", name, InstanceTypeName::new)?,
        enis: number("EniQuantity", document.eni_quantity)?,
        total_enis: document.eni_total_quantity.unwrap_or(0),
        addresses_per_eni: number(
            "EniPrivateIpAddressQuantity",
            document.eni_private_ip_address_quantity,
        )?,
        ipv6_per_eni: document.eni_ipv6_address_quantity.unwrap_or(0),
        can_trunk: document.eni_trunk_supported.unwrap_or(false),
        rdma_enis: document.eri_quantity.unwrap_or(0),
    })
}

pub fn instances(document: InstancesDocument) -> Result<Said, Unreadable> {
    let instances = list("Instances", document.instances)?;
    let instances = instances.0.into_iter().map(instance);
    let instances = instances.collect::<Result<_, _>>()?;
    Ok((document.request_id, Body::Instances(instances)))
}

fn instance(document: InstanceDocument) -> Result<Instance, Unreadable> {
    let vpc = document.vpc_attributes.unwrap_or_default().vpc_id;
    let kind = document.instance_type;
    Ok(Instance {
        id: must("InstanceId", document.instance_id, InstanceId::new)?,
        instance_type: must("InstanceType", kind, InstanceTypeName::new)?,
        zone: must("ZoneId", document.zone_id, ZoneId::new)?,
        vpc: may("VpcId", vpc, VpcId::new)?,
        status: document.status.unwrap_or_default(),
    })
}

pub fn security_groups(document: SecurityGroupsDocument) -> Result<Said, Unreadable> {
    let groups = list("SecurityGroups", document.security_groups)?;
    let items = groups.0.into_iter().map(security_group);
    let page = Page {
        items: items.collect::<Result<_, _>>()?,
        next: filled(document.next_token),
    };
    Ok((document.request_id, Body::SecurityGroups(page)))
}

fn security_group(document: SecurityGroupDocument) -> Result<SecurityGroup, Unreadable> {
    let id = document.security_group_id;
    Ok(SecurityGroup {
        id: must("SecurityGroupId", id, SecurityGroupId::new)?,
        vpc: may("VpcId", document.vpc_id, VpcId::new)?,
    })
}

pub fn eni_quota(document: AccountAttributesDocument) -> Result<Said, Unreadable> {
    let items = list("AccountAttributeItems", document.account_attribute_items)?;
    let mut items = items.0.into_iter();
    let found = items.find(|item| item.attribute_name.as_deref() == Some(ENI_QUOTA));
    let values = list(
        "AttributeValues",
        found.and_then(|item| item.attribute_values),
    )?;
    let value = values.0.into_iter().next().and_then(|item| item.value);
    let quota = value.as_deref().and_then(|text| text.parse().ok());
    let quota = quota.ok_or_else(|| format!("{ENI_QUOTA} is {value:?}, which is no number"))?;
    Ok((document.request_id, Body::EniQuota(quota)))
}

pub fn vswitches(document: VSwitchesDocument) -> Result<Said, Unreadable> {
    let next = next_page(&document);
    let vswitches = list("VSwitches", document.vswitches)?;
    let items = vswitches.0.into_iter().map(vswitch);
    let page = Page {
        items: items.collect::<Result<_, _>>()?,
        next,
    };
    Ok((document.request_id, Body::VSwitches(page)))
}

/// This API counts its pages and says how many there are in all.
fn next_page(document: &VSwitchesDocument) -> Option<String> {
    let (number, size) = (document.page_number?, document.page_size?);
    let shown = u64::from(number) * u64::from(size);
    (shown < u64::from(document.total_count?)).then(|| (u64::from(number) + 1).to_string())
}

fn vswitch(document: VSwitchDocument) -> Result<CloudVSwitch, Unreadable> {
    let cidr = filled(document.cidr_block);
    Ok(CloudVSwitch {
        id: must("VSwitchId", document.vswitch_id, CloudVSwitchId::new)?,
        name: document.vswitch_name.unwrap_or_default(),
        vpc: must("VpcId", document.vpc_id, VpcId::new)?,
        zone: must("ZoneId", document.zone_id, ZoneId::new)?,
        cidr: cidr.ok_or("CidrBlock is missing")?,
        ipv6_cidr: filled(document.ipv6_cidr_block),
        available: number(
            "AvailableIpAddressCount",
            document.available_ip_address_count,
        )?,
    })
}
