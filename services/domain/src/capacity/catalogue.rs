//! Instance types whose limits are known without asking the cloud.
//!
//! Numbers are those of Alibaba Cloud's pages of instance families, and of answers of DescribeInstanceTypes that are public.
//! A page says nothing of trunks, so these are known only where an answer was found. No number here is derived from a
//! type's size or family: the families break every such rule.

use super::{InstanceLimits, near};

/// One type's numbers, in the order of the table's columns.
struct Row {
    instance_type: &'static str,
    enis: u32,
    addresses: u32,
    ipv6: Option<u32>,
    /// EniTotalQuantity, and whether it can trunk.
    trunk: Option<(u32, bool)>,
}

/// The limits of a type; none = it is not in the catalogue.
pub fn find(instance_type: &str) -> Option<InstanceLimits> {
    let row = TABLE.iter().find(|row| row.instance_type == instance_type);
    row.map(Row::limits)
}

/// All types with their limits, families together.
pub fn all() -> impl Iterator<Item = (&'static str, InstanceLimits)> {
    TABLE.iter().map(|row| (row.instance_type, row.limits()))
}

/// Known types whose names are near to this one, nearest first; a few at most, perhaps none.
pub fn like(instance_type: &str) -> Vec<&'static str> {
    near::near(instance_type, TABLE.iter().map(|row| row.instance_type))
}

/// Why a type cannot be used that is not in the catalogue, with those that may have been meant.
pub fn unknown(instance_type: &str) -> String {
    let like = like(instance_type);
    match like.is_empty() {
        true => format!(
            "{instance_type} is not a known type; a name looks like {}",
            TABLE[0].instance_type
        ),
        false => format!(
            "{instance_type} is not a known type; near to it are {}",
            like.join(", ")
        ),
    }
}

// === impl Row ===

impl Row {
    fn limits(&self) -> InstanceLimits {
        InstanceLimits {
            enis: self.enis,
            total_enis: self.trunk.map(|(total, _)| total),
            addresses_per_eni: self.addresses,
            ipv6_per_eni: self.ipv6,
            can_trunk: self.trunk.map(|(_, can)| can),
            rdma_enis: None,
        }
    }
}

const fn row(instance_type: &'static str, enis: u32, addresses: u32, ipv6: u32) -> Row {
    Row {
        instance_type,
        enis,
        addresses,
        ipv6: Some(ipv6),
        trunk: None,
    }
}

const fn with_trunk(row: Row, total_enis: u32, can_trunk: bool) -> Row {
    Row {
        trunk: Some((total_enis, can_trunk)),
        ..row
    }
}

/// Type, ENIs with the primary one, IPv4 and IPv6 addresses on each; then the total of ENIs, where it is known.
const TABLE: [Row; 59] = [
    row("ecs.g7.large", 3, 6, 6),
    with_trunk(row("ecs.g7.xlarge", 4, 15, 15), 20, true),
    row("ecs.g7.2xlarge", 4, 15, 15),
    row("ecs.g7.3xlarge", 8, 15, 15),
    row("ecs.g7.4xlarge", 8, 30, 30),
    row("ecs.g7.6xlarge", 8, 30, 30),
    row("ecs.g7.8xlarge", 8, 30, 30),
    row("ecs.g7.16xlarge", 8, 30, 30),
    row("ecs.g7.32xlarge", 15, 30, 30),
    row("ecs.c7.2xlarge", 4, 15, 15),
    row("ecs.c7.4xlarge", 8, 30, 30),
    row("ecs.r6.2xlarge", 4, 10, 1),
    with_trunk(row("ecs.g6.large", 2, 6, 1), 2, false),
    row("ecs.g6.xlarge", 3, 10, 1),
    row("ecs.g6.2xlarge", 4, 10, 1),
    row("ecs.g6.3xlarge", 6, 10, 1),
    row("ecs.g6.4xlarge", 8, 20, 1),
    row("ecs.g6.6xlarge", 8, 20, 1),
    with_trunk(row("ecs.g6.8xlarge", 8, 20, 1), 8, false),
    row("ecs.g6.13xlarge", 7, 20, 1),
    with_trunk(row("ecs.g6.16xlarge", 8, 20, 1), 60, true),
    row("ecs.g6.26xlarge", 15, 20, 1),
    row("ecs.g6a.xlarge", 3, 15, 1),
    row("ecs.g6a.2xlarge", 4, 15, 1),
    row("ecs.g6a.8xlarge", 7, 30, 1),
    row("ecs.g6a.32xlarge", 15, 30, 1),
    row("ecs.g6e.large", 3, 6, 1),
    row("ecs.g6e.xlarge", 4, 15, 1),
    row("ecs.g6e.4xlarge", 8, 30, 1),
    row("ecs.g6e.13xlarge", 7, 30, 1),
    row("ecs.g6e.26xlarge", 15, 30, 1),
    row("ecs.g8a.large", 3, 6, 6),
    row("ecs.g8a.xlarge", 4, 15, 15),
    row("ecs.g8a.2xlarge", 4, 15, 15),
    row("ecs.g8ine.large", 3, 10, 10),
    row("ecs.g8ine.xlarge", 4, 15, 15),
    row("ecs.g8ine.2xlarge", 6, 15, 15),
    row("ecs.g8ine.4xlarge", 8, 30, 30),
    row("ecs.g9i.large", 3, 6, 6),
    row("ecs.g9i.xlarge", 4, 15, 15),
    row("ecs.g9i.3xlarge", 8, 15, 15),
    row("ecs.g9i.4xlarge", 8, 30, 30),
    row("ecs.g9i.24xlarge", 15, 30, 30),
    row("ecs.g9i.48xlarge", 15, 50, 50),
    row("ecs.g9ae.large", 3, 6, 6),
    row("ecs.g9ae.xlarge", 4, 15, 15),
    row("ecs.g9ae.4xlarge", 8, 30, 30),
    row("ecs.g9ae.24xlarge", 15, 30, 30),
    row("ecs.g9ae.48xlarge", 15, 50, 50),
    with_trunk(row("ecs.u1-c1m4.xlarge", 3, 10, 1), 6, true),
    row("ecs.t6-c1m1.large", 2, 2, 1),
    row("ecs.t6-c1m4.xlarge", 2, 6, 1),
    with_trunk(row("ecs.s6-c1m2.16xlarge", 2, 6, 1), 2, false),
    with_trunk(row("ecs.ic5.large", 2, 6, 0), 2, false),
    with_trunk(row("ecs.t1.xsmall", 1, 1, 0), 1, false),
    with_trunk(row("ecs.ebmg5.24xlarge", 32, 10, 0), 32, false),
    with_trunk(row("ecs.ebmre7p.32xlarge", 32, 15, 1), 110, true),
    // Its members were seen on a node, 13 of them with 2 ENIs; its IPv6 addresses nobody has said.
    Row {
        instance_type: "ecs.gn6i-c4g1.xlarge",
        enis: 2,
        addresses: 10,
        ipv6: None,
        trunk: Some((15, true)),
    },
    row("ecs.gn8v.4xlarge", 8, 30, 30),
];

#[cfg(test)]
mod tests;
