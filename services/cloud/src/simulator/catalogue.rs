//! Instance types with numbers that the cloud's own `DescribeInstanceTypes` was seen to answer, kept in public tests and documents.

use serde::{Deserialize, Serialize};

/// What a type has room for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceType {
    /// `InstanceTypeId`.
    pub name: String,
    /// `EniQuantity`: the primary one included.
    pub enis: usize,
    /// `EniPrivateIpAddressQuantity`: on each ENI, its primary address included.
    pub addresses: usize,
    /// `EniIpv6AddressQuantity`: on each ENI.
    pub ipv6: usize,
    /// `EniTotalQuantity`: with the members of trunks. Less than `enis` = the cloud does not say.
    pub total: usize,
    /// `EniTrunkSupported`.
    pub trunk: bool,
    /// `EriQuantity`.
    #[serde(default)]
    pub rdma: usize,
}

/// Name, ENIs, IPv4 each, IPv6 each, total, trunk.
type Row = (&'static str, usize, usize, usize, usize, bool);

const ROWS: [Row; 10] = [
    ("ecs.ebmg5.24xlarge", 32, 10, 0, 32, false),
    ("ecs.ebmre7p.32xlarge", 32, 15, 1, 110, true),
    ("ecs.g6.16xlarge", 8, 20, 1, 60, true),
    ("ecs.g6.8xlarge", 8, 20, 1, 8, false),
    ("ecs.g6.large", 2, 6, 1, 2, false),
    ("ecs.g7.xlarge", 4, 15, 15, 20, true),
    ("ecs.ic5.large", 2, 6, 0, 2, false),
    ("ecs.s6-c1m2.16xlarge", 2, 6, 1, 2, false),
    ("ecs.t1.xsmall", 1, 1, 0, 1, false),
    ("ecs.u1-c1m4.xlarge", 3, 10, 1, 6, true),
];

/// The built-in types, by name.
pub fn catalogue() -> Vec<InstanceType> {
    let of = |(name, enis, addresses, ipv6, total, trunk): Row| InstanceType {
        name: name.into(),
        enis,
        addresses,
        ipv6,
        total,
        trunk,
        rdma: 0,
    };
    ROWS.map(of).into()
}

// === impl InstanceType ===

impl InstanceType {
    /// Members that its trunks may have together.
    pub fn members(&self) -> usize {
        if self.trunk {
            self.total.saturating_sub(self.enis)
        } else {
            0
        }
    }
}
