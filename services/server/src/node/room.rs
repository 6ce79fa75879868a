//! The node's ENI slots: what certainly finds no room is told so before a vSwitch is asked for an address.
//!
//! Counts what the NodeActor knows to be bound here. The ledger decides again, with what is warm or cools on an ENI.

use super::choice::{Allocations, Plan};
use super::request::Add;
use berth_domain::address::Family;
use berth_domain::choose::Families;
use berth_domain::outcome::Refusal;
use berth_domain::row::{Allocation, Node, VSwitch};

/// Whether one more attachment fits on the node's ENIs. A node of no known type has no limit.
pub(super) fn check(
    add: &Add,
    node: &Node,
    allocations: &Allocations,
    plan: &Plan,
) -> Result<(), Refusal> {
    let capacity = node.eni_slots.saturating_mul(node.addresses_per_eni);
    if capacity == 0 {
        return Ok(());
    }
    let staying = || {
        allocations
            .values()
            .filter(|held| !makes_room(add, held))
            .flat_map(|held| &held.addresses)
    };
    let used = |family| {
        let of_family = staying().filter(|address| Family::of(**address) == family);
        u32::try_from(of_family.count()).unwrap_or(u32::MAX)
    };
    let most = |vswitch: &VSwitch| Families::of(vswitch).iter().map(used).max().unwrap_or(0);
    let used = plan.candidates.iter().map(|vswitch| most(vswitch)).min();
    match used.filter(|used| *used >= capacity) {
        None => Ok(()),
        Some(used) => Err(Refusal::NodeFull {
            node: node.name.clone(),
            used,
            capacity,
        }),
    }
}

/// The same attachment, or an earlier sandbox of the pod: the bind ends it.
fn makes_room(add: &Add, held: &Allocation) -> bool {
    let uid = &add.request.pod.uid;
    *held.key == *add.key || (!uid.as_str().is_empty() && held.pod.uid == *uid)
}
