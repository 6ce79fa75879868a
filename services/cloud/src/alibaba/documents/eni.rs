//! ENIs, and addresses on them.

use super::Nested;
use serde::Deserialize;

/// An ENI: in `DescribeNetworkInterfaces`' list, and as the whole answer of `CreateNetworkInterface` and
/// `DescribeNetworkInterfaceAttribute`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EniDocument {
    pub request_id: Option<String>,
    pub network_interface_id: Option<String>,
    pub mac_address: Option<String>,
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    pub status: Option<String>,
    pub vpc_id: Option<String>,
    #[serde(rename = "VSwitchId")]
    pub vswitch_id: Option<String>,
    pub zone_id: Option<String>,
    pub instance_id: Option<String>,
    pub attachment: Option<AttachmentDocument>,
    pub private_ip_address: Option<String>,
    pub private_ip_sets: Nested<PrivateIpDocument>,
    pub ipv6_sets: Nested<Ipv6Document>,
    pub security_group_ids: Nested<String>,
    pub tags: Nested<TagDocument>,
    pub creation_time: Option<String>,
}

/// What an ENI is on.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AttachmentDocument {
    pub instance_id: Option<String>,
    pub trunk_network_interface_id: Option<String>,
    /// Of a trunk's member: its VLAN id.
    pub device_index: Option<i64>,
}

/// An IPv4 address.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PrivateIpDocument {
    pub private_ip_address: Option<String>,
    pub primary: Option<bool>,
}

/// An IPv6 address.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ipv6Document {
    pub ipv6_address: Option<String>,
}

/// A tag of an ECS resource.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TagDocument {
    pub tag_key: Option<String>,
    pub tag_value: Option<String>,
}

/// `DescribeNetworkInterfaces`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EnisDocument {
    pub request_id: Option<String>,
    pub network_interface_sets: Option<Nested<EniDocument>>,
    pub next_token: Option<String>,
}

/// `AssignPrivateIpAddresses`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Assigned4Document {
    pub request_id: Option<String>,
    pub assigned_private_ip_addresses_set: Option<AssignedSetDocument>,
}

/// What is on the ENI now.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AssignedSetDocument {
    pub private_ip_set: Option<Nested<String>>,
}

/// `AssignIpv6Addresses`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Assigned6Document {
    pub request_id: Option<String>,
    pub ipv6_sets: Option<Nested<String>>,
}
