//! Node pools: what their mode cannot have, and whether nodes of their types may join.

use super::{Finding, NodePool, Plan};
use crate::capacity::{NodeMode, NodeSetup, Obstacle, Stack, catalogue};
use crate::id::InstanceType;

pub(super) fn findings(plan: &Plan) -> Vec<Finding> {
    let of = |pool| settings(plan, pool).into_iter().chain(types(plan, pool));
    plan.pools.iter().flat_map(of).collect()
}

fn settings(plan: &Plan, pool: &NodePool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = || pool.name.clone();
    if pool.rdma && plan.stack == Stack::Dual {
        findings.push(Finding::RdmaWithDualStack { pool: name() });
    }
    if !pool.mode.shares() && pool.acceleration {
        findings.push(Finding::ExclusiveAcceleration { pool: name() });
    }
    if !pool.mode.shares() && pool.network_policy {
        findings.push(Finding::ExclusiveNetworkPolicy { pool: name() });
    }
    findings
}

fn types(plan: &Plan, pool: &NodePool) -> Vec<Finding> {
    let of = |instance_type| one_type(plan, pool, instance_type);
    pool.instance_types.iter().flat_map(of).collect()
}

fn one_type(plan: &Plan, pool: &NodePool, instance_type: &InstanceType) -> Vec<Finding> {
    let name = || (pool.name.clone(), instance_type.clone());
    let Some(limits) = catalogue::find(instance_type.as_str()) else {
        let (pool, instance_type) = name();
        return vec![Finding::TypeUnknown {
            pool,
            instance_type,
        }];
    };
    let capacity = limits.capacity(&NodeSetup {
        mode: pool.mode,
        stack: plan.stack,
        rdma: pool.rdma,
        max_pods: None,
        thresholds: plan.thresholds,
    });
    // That eRDMA and dual stack exclude each other is said once, of the pool.
    let obstacles = capacity.obstacles.into_iter();
    let obstacles = obstacles.filter(|obstacle| *obstacle != Obstacle::RdmaWithDualStack);
    let mut findings: Vec<Finding> = obstacles
        .map(|obstacle| {
            let (pool, instance_type) = name();
            Finding::Type {
                pool,
                instance_type,
                obstacle,
            }
        })
        .collect();
    if pool.mode == NodeMode::SharedTrunk && capacity.own_eni_pods == Some(0) {
        let (pool, instance_type) = name();
        findings.push(Finding::TrunkMissing {
            pool,
            instance_type,
        });
    }
    findings
}
