//! Node pools: E3.

use super::{Violation, violation};
use crate::ledger::Ledger;
use crate::row::{AddressState, Node, NodePool, UNKNOWN_PARAMETERS};

/// E3: see [`super::ALL`].
pub(super) fn on_enis_alone(ledger: &Ledger) -> Result<(), Violation> {
    for pool in ledger.node_pools() {
        let missing = |id: &&_| ledger.vswitch(**id).is_none();
        if let Some(id) = pool.vswitches.iter().find(missing) {
            let what = format!(
                "node pool {} names vSwitch {id}, which is not there",
                pool.name
            );
            return violation("E3", what);
        }
        if pool.idle.min > pool.idle.max {
            let what = format!("node pool {} keeps more than it may", pool.name);
            return violation("E3", what);
        }
    }
    for node in ledger.nodes() {
        let Some(id) = node.pool else { continue };
        let Some(pool) = ledger.node_pool(id) else {
            let what = format!("node {} is of pool {id}, which is not there", node.name);
            return violation("E3", what);
        };
        in_its_zone(ledger, node, pool)?;
        on_its_enis(ledger, node)?;
    }
    Ok(())
}

fn in_its_zone(ledger: &Ledger, node: &Node, pool: &NodePool) -> Result<(), Violation> {
    let rows = pool.vswitches.iter().filter_map(|id| ledger.vswitch(*id));
    match rows.clone().any(|row| row.zone == node.zone) {
        true => Ok(()),
        false => violation(
            "E3",
            format!(
                "pool {} has no vSwitch in the zone of node {}",
                pool.name, node.name
            ),
        ),
    }
}

/// What a node's word brought in after a recovery is as the node says.
fn on_its_enis(ledger: &Ledger, node: &Node) -> Result<(), Violation> {
    let ours = |eni: &Option<_>| {
        eni.as_ref()
            .is_some_and(|id| ledger.eni_named(node.id, id).is_some())
    };
    let bound = ledger
        .node_allocations(node.id)
        .filter(|row| row.parameters != UNKNOWN_PARAMETERS);
    if let Some(row) = bound.into_iter().find(|row| !ours(&row.eni)) {
        let what = format!("{} is bound on no ENI of node {}", row.key, node.name);
        return violation("E3", what);
    }
    let astray =
        |state: &AddressState| matches!(state, AddressState::Idle { eni, .. } if !ours(eni));
    match ledger
        .node_standing(node.id)
        .find(|(_, state)| astray(state))
    {
        None => Ok(()),
        Some((at, _)) => {
            let what = format!("{at} is warm on no ENI of node {}", node.name);
            violation("E3", what)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::testing::jobs::*;
    use crate::apply::testing::*;
    use crate::command::*;
    use crate::row::Change;
    use std::sync::Arc;

    /// Promise (E3): an address beside the node's ENIs, a pool that is not there and one of another zone are found.
    #[test]
    fn e3() {
        let (mut cloud, id) = Cloudy::pooled();
        let node = cloud.world.node(RegisterNode {
            eni_slots: 2,
            addresses_per_eni: 3,
            pool: Some(id),
            ..register_node("worker-5", "i-5")
        });
        assert_eq!(on_enis_alone(&cloud.world.ledger), Ok(()));
        let pool = cloud.world.ledger.node_pool(id).expect("there").clone();
        let other = NodePool {
            vswitches: Vec::new(),
            ..(*pool).clone()
        };
        let pool_becomes = |after: Option<NodePool>| Change::NodePool {
            id,
            before: Some(pool.clone()),
            after: after.map(Arc::new),
        };
        let astray = AddressState::Idle { node, eni: None };
        let warm = Change::address(cloud.vswitch, ip("10.2.0.9"), None, Some(astray));
        for planted in [warm, pool_becomes(None), pool_becomes(Some(other))] {
            let mut ledger = cloud.world.ledger.clone();
            ledger.install(std::slice::from_ref(&planted));
            assert!(on_enis_alone(&ledger).is_err(), "{planted:?}");
        }
    }
}
