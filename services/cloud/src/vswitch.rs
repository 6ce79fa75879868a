//! A vSwitch as the cloud shows it.

use crate::id::*;

/// A vSwitch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudVSwitch {
    /// Its id.
    pub id: CloudVSwitchId,
    /// Its name; may be empty.
    pub name: String,
    /// Of which VPC.
    pub vpc: VpcId,
    /// In which zone.
    pub zone: ZoneId,
    /// Its IPv4 CIDR, as the cloud writes it.
    pub cidr: String,
    /// Its IPv6 CIDR, if it has one.
    pub ipv6_cidr: Option<String>,
    /// IPv4 addresses that are left, by the cloud's count of a moment ago.
    pub available: u64,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// What it is.
    pub instance_type: InstanceTypeName,
    /// In which zone.
    pub zone: ZoneId,
    /// Of which VPC.
    pub vpc: Option<VpcId>,
    /// Whether it runs, as the cloud says: `Running`, `Stopped`, ...
    pub status: String,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroup {
    /// Its id.
    pub id: SecurityGroupId,
    /// Of which VPC.
    pub vpc: Option<VpcId>,
}
