//! ENIs and addresses.

use super::Unreadable;
use super::read::{address, filled, list, may, must};
use crate::alibaba::documents::*;
use crate::eni::{Eni, EniAttachment, EniKind, EniStatus};
use crate::id::*;
use crate::reply::{Body, Page};
use std::net::Ipv4Addr;
use std::time::UNIX_EPOCH;

/// The ids of VLANs that frames can carry (IEEE 802.1Q; 0 and 4095 are reserved).
const VLANS: std::ops::RangeInclusive<u16> = 1..=4094;

/// The id of the call, as it came, and what it says.
type Said = (Option<String>, Body);

/// None = the cloud says that it made none.
pub fn created(document: EniDocument) -> Result<Option<Said>, Unreadable> {
    let id = document.network_interface_id.as_ref();
    if id.is_none_or(|id| id.is_empty()) {
        return Ok(None);
    }
    let call = document.request_id.clone();
    Ok(Some((call, Body::Created(Box::new(eni(document)?)))))
}

pub fn one(document: EniDocument) -> Result<Said, Unreadable> {
    let call = document.request_id.clone();
    Ok((call, Body::Eni(Box::new(eni(document)?))))
}

pub fn page(document: EnisDocument) -> Result<Said, Unreadable> {
    let enis = list("NetworkInterfaceSets", document.network_interface_sets)?;
    let items = enis.0.into_iter().map(eni);
    let page = Page {
        items: items.collect::<Result<_, _>>()?,
        next: filled(document.next_token),
    };
    Ok((document.request_id, Body::Enis(page)))
}

pub fn assigned4(document: Assigned4Document) -> Result<Said, Unreadable> {
    let set = document.assigned_private_ip_addresses_set;
    let set = list("AssignedPrivateIpAddressesSet", set)?;
    let addresses = list("PrivateIpSet", set.private_ip_set)?;
    let addresses = addresses.0.into_iter().map(|text| address(Some(text)));
    let addresses = addresses.collect::<Result<_, _>>()?;
    Ok((document.request_id, Body::Assigned4(addresses)))
}

pub fn assigned6(document: Assigned6Document) -> Result<Said, Unreadable> {
    let addresses = list("Ipv6Sets", document.ipv6_sets)?;
    let addresses = addresses.0.into_iter().map(|text| address(Some(text)));
    let addresses = addresses.collect::<Result<_, _>>()?;
    Ok((document.request_id, Body::Assigned6(addresses)))
}

fn eni(document: EniDocument) -> Result<Eni, Unreadable> {
    let id = must(
        "NetworkInterfaceId",
        document.network_interface_id,
        EniId::new,
    )?;
    let of = |why: Unreadable| format!("{id}: {why}");
    let groups = document.security_group_ids.0.into_iter();
    let groups = groups.map(|group| must("SecurityGroupId", Some(group), SecurityGroupId::new));
    let ipv6 = document.ipv6_sets.0.into_iter();
    let ipv6 = ipv6.map(|one| address(one.ipv6_address));
    let (primary, secondary) =
        addresses4(document.private_ip_address, document.private_ip_sets.0).map_err(of)?;
    Ok(Eni {
        mac: document.mac_address.unwrap_or_default(),
        kind: EniKind::named(&document.kind.unwrap_or_default()).unwrap_or(EniKind::Other),
        status: status(&document.status.unwrap_or_default()),
        vpc: may("VpcId", document.vpc_id, VpcId::new).map_err(of)?,
        vswitch: must("VSwitchId", document.vswitch_id, CloudVSwitchId::new).map_err(of)?,
        zone: must("ZoneId", document.zone_id, ZoneId::new).map_err(of)?,
        attachment: attachment(document.instance_id, document.attachment).map_err(of)?,
        primary,
        secondary,
        ipv6: ipv6.collect::<Result<_, _>>().map_err(of)?,
        security_groups: groups.collect::<Result<_, _>>().map_err(of)?,
        tags: document.tags.0.into_iter().filter_map(tag).collect(),
        created_at_s: document.creation_time.as_deref().and_then(seconds),
        id,
    })
}

/// A new ENI is `Pending` in some answers of CreateNetworkInterface.
fn status(text: &str) -> EniStatus {
    match text {
        "Pending" => EniStatus::Creating,
        _ => EniStatus::named(text).unwrap_or(EniStatus::Other),
    }
}

/// The primary and the others. The list says which is primary; an ENI without a list has its primary beside it.
fn addresses4(
    beside: Option<String>,
    set: Vec<PrivateIpDocument>,
) -> Result<(Ipv4Addr, Vec<Ipv4Addr>), Unreadable> {
    let mut primary = None;
    let mut secondary = Vec::new();
    for one in set {
        let address: Ipv4Addr = address(one.private_ip_address)?;
        match one.primary {
            Some(true) => primary = Some(address),
            _ => secondary.push(address),
        }
    }
    let primary = match primary {
        Some(primary) => primary,
        None => address(beside)?,
    };
    // In answers whose list does not say which is primary it stands among the others.
    secondary.retain(|address| *address != primary);
    Ok((primary, secondary))
}

fn attachment(
    beside: Option<String>,
    document: Option<AttachmentDocument>,
) -> Result<Option<EniAttachment>, Unreadable> {
    let document = document.unwrap_or_default();
    let instance = filled(document.instance_id).or(beside);
    let Some(instance) = may("InstanceId", instance, InstanceId::new)? else {
        return Ok(None);
    };
    let trunk = document.trunk_network_interface_id;
    let trunk = may("TrunkNetworkInterfaceId", trunk, EniId::new)?;
    // Only a member's index is a VLAN id; others' is where the instance sees the ENI.
    let index = document.device_index.filter(|_| trunk.is_some());
    let vlan = index.and_then(|index| u16::try_from(index).ok());
    Ok(Some(EniAttachment {
        instance,
        trunk,
        vlan: vlan.filter(|vlan| VLANS.contains(vlan)),
    }))
}

fn tag(document: TagDocument) -> Option<(String, String)> {
    Some((document.tag_key?, document.tag_value.unwrap_or_default()))
}

/// `2019-12-25T12:31:31Z`, and without seconds as older resources have it; anything else is a time that nobody said.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let whole = match text.len() {
        17 => text.replace('Z', ":00Z"),
        _ => text.to_owned(),
    };
    let time = humantime::parse_rfc3339(&whole).ok()?;
    time.duration_since(UNIX_EPOCH)
        .ok()
        .map(|since| since.as_secs())
}
