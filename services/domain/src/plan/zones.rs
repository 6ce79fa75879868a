//! Zones: enough of them, and in each one that has nodes addresses for their pods.

use super::{Finding, Plan};
use crate::id::Zone;
use std::collections::BTreeSet;

/// The cloud recommends vSwitches in at least so many zones: with two, the end of one takes half of the cluster.
pub(super) const ZONES_MIN: usize = 3;

pub(super) fn findings(plan: &Plan) -> Vec<Finding> {
    // Without any vSwitch the plan is refused already, for that.
    if plan.node_vswitches.is_empty() {
        return Vec::new();
    }
    let zones: BTreeSet<&Zone> = plan.node_vswitches.iter().map(|one| &one.zone).collect();
    let few = (zones.len() < ZONES_MIN).then_some(Finding::FewZones { zones: zones.len() });
    few.into_iter().chain(without_pods(plan)).collect()
}

fn without_pods(plan: &Plan) -> Vec<Finding> {
    if plan.pod_vswitches.is_empty() {
        return Vec::new();
    }
    let mut seen: BTreeSet<&Zone> = plan.pod_vswitches.iter().map(|one| &one.zone).collect();
    // Each zone is named once, with the first of its node vSwitches.
    let empty = plan
        .node_vswitches
        .iter()
        .filter(|one| seen.insert(&one.zone));
    empty
        .map(|one| Finding::ZoneWithoutPods {
            zone: one.zone.clone(),
            vswitch: one.name.clone(),
        })
        .collect()
}
