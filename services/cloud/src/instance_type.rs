//! What an instance type has room for, as the cloud says it.

use crate::id::InstanceTypeName;

/// The numbers of `DescribeInstanceTypes` that pods' networks depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceTypeFacts {
    /// Which.
    pub name: InstanceTypeName,
    /// EniQuantity: ENIs, the primary one included.
    pub enis: u32,
    /// EniTotalQuantity: with the members of trunks; 0 or less than `enis` = the cloud does not say.
    pub total_enis: u32,
    /// EniPrivateIpAddressQuantity: IPv4 addresses on each, its primary included.
    pub addresses_per_eni: u32,
    /// EniIpv6AddressQuantity: IPv6 addresses on each.
    pub ipv6_per_eni: u32,
    /// EniTrunkSupported.
    pub can_trunk: bool,
    /// EriQuantity: RDMA interfaces.
    pub rdma_enis: u32,
}
