//! What an ECS instance type has room for: EniQuantity and EniPrivateIpAddressQuantity of DescribeInstanceTypes.
//!
//! Until the cloud is asked (design §7), this table is all there is. Numbers are those of the instance family pages.

use berth_domain::id::InstanceType;
use berth_domain::outcome::Refusal;

/// How many pods a node has room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// ENIs for pods: all but the primary, which is the node's. 0 = no ENIs, no limit.
    pub eni_slots: u32,
    /// Addresses on each; 0 = no limit.
    pub addresses_per_eni: u32,
}

/// Instance type, ENIs with the primary one, addresses on each.
const TABLE: [(&str, u32, u32); 16] = [
    ("ecs.c7.2xlarge", 4, 15),
    ("ecs.c7.4xlarge", 8, 30),
    ("ecs.ebmre7p.32xlarge", 32, 15),
    ("ecs.g6.large", 2, 6),
    ("ecs.g6.xlarge", 3, 10),
    ("ecs.g6.2xlarge", 4, 10),
    ("ecs.g6.4xlarge", 8, 20),
    ("ecs.g7.large", 3, 6),
    ("ecs.g7.xlarge", 4, 15),
    ("ecs.g7.2xlarge", 4, 15),
    ("ecs.g7.3xlarge", 8, 15),
    ("ecs.g7.4xlarge", 8, 30),
    ("ecs.g7.8xlarge", 8, 30),
    ("ecs.g7.32xlarge", 15, 30),
    ("ecs.r6.2xlarge", 4, 10),
    ("ecs.u1-c1m4.xlarge", 3, 10),
];

/// What a type has room for; the empty type has no limit. An unknown one is refused with those that are known.
pub fn capacity(instance_type: &InstanceType) -> Result<Capacity, Refusal> {
    let name = instance_type.as_str();
    if name.is_empty() {
        return Ok(Capacity::default());
    }
    let row = TABLE.iter().find(|(known, ..)| *known == name);
    row.map(|(_, enis, addresses)| Capacity {
        eni_slots: enis - 1,
        addresses_per_eni: *addresses,
    })
    .ok_or_else(|| {
        let known: Vec<&str> = TABLE.iter().map(|(known, ..)| *known).collect();
        let reason = format!(
            "{name} is not a known type; leave it empty for a node without ENIs, or use one of {}",
            known.join(", ")
        );
        Refusal::Invalid {
            field: "instance_type",
            reason,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Result<Capacity, Refusal> {
        capacity(&InstanceType::new(name).expect("a name"))
    }

    /// Promise: ecs.g7.4xlarge has 8 ENIs x 30 addresses, so 7 slots and 210 pods (design §7).
    #[test]
    fn the_primary_eni_is_the_nodes() {
        let known = of("ecs.g7.4xlarge").expect("known");
        assert_eq!((known.eni_slots, known.addresses_per_eni), (7, 30));
        assert_eq!(known.eni_slots * known.addresses_per_eni, 210);
        assert_eq!(of("").expect("no limit"), Capacity::default());
    }

    /// Promise: an unknown type is refused and the known ones are named.
    #[test]
    fn an_unknown_type_names_the_known() {
        let refusal = of("ecs.g7.4xlrage").expect_err("unknown").to_string();
        assert!(refusal.starts_with("instance_type:"), "{refusal}");
        assert!(
            refusal.contains("ecs.g7.4xlrage") && refusal.contains("ecs.g7.4xlarge,"),
            "{refusal}"
        );
    }
}
