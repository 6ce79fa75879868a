//! Instance types, instances, security groups, vSwitches.

use super::Nested;
use serde::Deserialize;

/// `DescribeInstanceTypes`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InstanceTypesDocument {
    pub request_id: Option<String>,
    pub instance_types: Option<Nested<InstanceTypeDocument>>,
    pub next_token: Option<String>,
}

/// An instance type.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InstanceTypeDocument {
    pub instance_type_id: Option<String>,
    pub eni_quantity: Option<u32>,
    pub eni_total_quantity: Option<u32>,
    pub eni_private_ip_address_quantity: Option<u32>,
    pub eni_ipv6_address_quantity: Option<u32>,
    pub eni_trunk_supported: Option<bool>,
    pub eri_quantity: Option<u32>,
}

/// `DescribeInstances`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InstancesDocument {
    pub request_id: Option<String>,
    pub instances: Option<Nested<InstanceDocument>>,
}

/// An instance.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InstanceDocument {
    pub instance_id: Option<String>,
    pub instance_type: Option<String>,
    pub zone_id: Option<String>,
    pub status: Option<String>,
    pub vpc_attributes: Option<VpcAttributesDocument>,
}

/// Where an instance is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VpcAttributesDocument {
    pub vpc_id: Option<String>,
}

/// `DescribeSecurityGroups`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SecurityGroupsDocument {
    pub request_id: Option<String>,
    pub security_groups: Option<Nested<SecurityGroupDocument>>,
    pub next_token: Option<String>,
}

/// A security group.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SecurityGroupDocument {
    pub security_group_id: Option<String>,
    pub vpc_id: Option<String>,
}

/// `DescribeAccountAttributes`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AccountAttributesDocument {
    pub request_id: Option<String>,
    pub account_attribute_items: Option<Nested<AccountAttributeDocument>>,
}

/// One quota.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AccountAttributeDocument {
    pub attribute_name: Option<String>,
    pub attribute_values: Option<Nested<AttributeValueDocument>>,
}

/// A quota's number, as a text.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AttributeValueDocument {
    pub value: Option<String>,
}

/// `DescribeVSwitches`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VSwitchesDocument {
    pub request_id: Option<String>,
    #[serde(rename = "VSwitches")]
    pub vswitches: Option<Nested<VSwitchDocument>>,
    pub page_number: Option<u32>,
    pub page_size: Option<u32>,
    pub total_count: Option<u32>,
}

/// A vSwitch.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VSwitchDocument {
    #[serde(rename = "VSwitchId")]
    pub vswitch_id: Option<String>,
    #[serde(rename = "VSwitchName")]
    pub vswitch_name: Option<String>,
    pub vpc_id: Option<String>,
    pub zone_id: Option<String>,
    pub cidr_block: Option<String>,
    pub ipv6_cidr_block: Option<String>,
    pub available_ip_address_count: Option<u64>,
}
