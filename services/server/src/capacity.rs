//! What a node is registered with: the room that its instance type has in its pool's mode, else in shared mode.
//!
//! Until the cloud is asked (design §7), the domain's catalogue is all there is.

use berth_domain::capacity::{InstanceLimits, NodeMode, NodeSetup, catalogue};
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

/// What a type has room for; the empty type has no limit. An unknown one is refused with those that may have been meant.
pub fn capacity(instance_type: &InstanceType, mode: NodeMode) -> Result<Capacity, Refusal> {
    if instance_type.as_str().is_empty() {
        return Ok(Capacity::default());
    }
    let limits = limits(instance_type)?;
    Ok(Capacity {
        eni_slots: limits.pod_enis(),
        addresses_per_eni: match mode.shares() {
            true => limits.addresses_per_eni,
            false => 1,
        },
    })
}

/// Refused with both numbers if a type gives too few pods to join. The empty type has no limit, and always may.
pub fn may_join(instance_type: &InstanceType, mode: NodeMode) -> Result<(), Refusal> {
    if instance_type.as_str().is_empty() {
        return Ok(());
    }
    let setup = NodeSetup {
        mode,
        ..NodeSetup::default()
    };
    let capacity = limits(instance_type)?.capacity(&setup);
    match capacity.obstacles.first() {
        None => Ok(()),
        Some(obstacle) => Err(refused(format!(
            "{instance_type} {obstacle}; allow_few_pods registers it all the same"
        ))),
    }
}

/// The catalogue's; a type that is not in it is refused, and so is none.
pub fn limits(instance_type: &InstanceType) -> Result<InstanceLimits, Refusal> {
    let name = instance_type.as_str();
    if name.is_empty() {
        return Err(refused("is missing: name one such as ecs.g7.large".into()));
    }
    catalogue::find(name).ok_or_else(|| refused(catalogue::unknown(name)))
}

fn refused(reason: String) -> Refusal {
    Refusal::Invalid {
        field: "instance_type",
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> InstanceType {
        InstanceType::new(name).expect("a name")
    }

    /// Promise: ecs.g7.4xlarge has 8 ENIs x 30 addresses, so 7 slots and 210 pods (design §7).
    #[test]
    fn the_primary_eni_is_the_nodes() {
        let known = capacity(&named("ecs.g7.4xlarge"), NodeMode::Shared).expect("known");
        assert_eq!((known.eni_slots, known.addresses_per_eni), (7, 30));
        assert_eq!(known.eni_slots * known.addresses_per_eni, 210);
        let exclusive = capacity(&named("ecs.g7.4xlarge"), NodeMode::Exclusive).expect("known");
        assert_eq!((exclusive.eni_slots, exclusive.addresses_per_eni), (7, 1));
        assert_eq!(
            capacity(&named(""), NodeMode::Shared).expect("no limit"),
            Capacity::default()
        );
    }

    /// Promise: an unknown type is refused and near ones are named.
    #[test]
    fn an_unknown_type_names_near_ones() {
        for refusal in [
            capacity(&named("ecs.g7.4xlrage"), NodeMode::Shared).map(|_| ()),
            may_join(&named("ecs.g7.4xlrage"), NodeMode::Shared),
        ] {
            let refusal = refusal.expect_err("unknown").to_string();
            assert!(refusal.starts_with("instance_type:"), "{refusal}");
            assert!(
                refusal.contains("ecs.g7.4xlrage") && refusal.contains("ecs.g7.4xlarge,"),
                "{refusal}"
            );
        }
    }

    /// Promise: a type with too few pods may not join, and both numbers are said; one with one pod more may, and so may none.
    #[test]
    fn too_few_pods_may_not_join() {
        let refusal = may_join(&named("ecs.g6.large"), NodeMode::Shared).expect_err("6 pods");
        assert_eq!(
            refusal.to_string(),
            "instance_type: ecs.g6.large gives 6 pods in shared mode, more than 11 are needed; allow_few_pods registers \
             it all the same"
        );
        for name in ["ecs.g7.large", "ecs.g7.4xlarge", ""] {
            may_join(&named(name), NodeMode::Shared).expect("enough");
        }
    }
}
