//! Node pools: their settings and their types.

use super::*;

/// Promise: an exclusive pool has no acceleration, and is warned that no NetworkPolicy holds; a shared one has both.
#[test]
fn exclusive_pools_have_less() {
    let exclusive = || Plan {
        pools: vec![pool(NodeMode::Exclusive, &["ecs.g7.4xlarge"])],
        ..good()
    };
    let on = |plan: &mut Plan| plan.pools[0].acceleration = true;
    refused(
        exclusive(),
        "exclusive_acceleration",
        &["main", "DataPath V2"],
        on,
    );
    let on = |plan: &mut Plan| plan.pools[0].network_policy = true;
    warned(
        exclusive(),
        "exclusive_network_policy",
        &["main", "NetworkPolicy"],
        on,
    );
    for mode in [NodeMode::Shared, NodeMode::SharedTrunk] {
        let mut plan = good();
        plan.pools[0] = pool(mode, &["ecs.g7.4xlarge"]);
        plan.pools[0].acceleration = true;
        plan.pools[0].network_policy = true;
        assert_eq!(plan.findings(), [], "{mode:?}");
    }
}

/// Promise: eRDMA and dual stack are refused once for a pool, however many types it has; one of them is allowed.
#[test]
fn rdma_excludes_dual_stack() {
    let types = ["ecs.g7.4xlarge", "ecs.g7.8xlarge"];
    refused(
        dual(),
        "rdma_with_dual_stack",
        &["main", "eRDMA", "dual stack"],
        |plan| {
            plan.pools[0] = pool(NodeMode::Shared, &types);
            plan.pools[0].rdma = true;
        },
    );
    // Which types can have it the catalogue does not know, and says so.
    warned(
        good(),
        "rdma_unknown",
        &["ecs.g7.4xlarge", "EriQuantity"],
        |plan| {
            plan.pools[0].rdma = true;
        },
    );
    let mut plan = good();
    plan.pools[0] = pool(NodeMode::Shared, &[]);
    plan.pools[0].rdma = true;
    assert_eq!(plan.findings(), []);
}

/// Promise: each type of a pool has to give enough pods in the pool's mode, with both numbers; unknown ones name near ones.
#[test]
fn types_have_to_give_enough() {
    let put = |mode, name| move |plan: &mut Plan| plan.pools[0] = pool(mode, &[name]);
    let words = [
        "main",
        "ecs.g6.large gives 6 pods in shared mode, more than 11",
    ];
    refused(
        good(),
        "too_few_pods",
        &words,
        put(NodeMode::Shared, "ecs.g6.large"),
    );
    let words = ["ecs.g7.large gives 2 pods in exclusive mode, more than 6"];
    refused(
        good(),
        "too_few_pods",
        &words,
        put(NodeMode::Exclusive, "ecs.g7.large"),
    );
    let words = ["ecs.g7.4xlrage", "ecs.g7.4xlarge"];
    refused(
        good(),
        "type_unknown",
        &words,
        put(NodeMode::Shared, "ecs.g7.4xlrage"),
    );
    let words = ["ecs.g6.8xlarge has 0 members"];
    warned(
        good(),
        "trunk_missing",
        &words,
        put(NodeMode::SharedTrunk, "ecs.g6.8xlarge"),
    );
    for (mode, name) in [
        (NodeMode::Shared, "ecs.g7.large"),
        (NodeMode::SharedTrunk, "ecs.g6.16xlarge"),
        (NodeMode::Exclusive, "ecs.g7.3xlarge"),
    ] {
        let mut plan = good();
        put(mode, name)(&mut plan);
        assert_eq!(plan.findings(), [], "{name}");
    }
    let mut plan = good();
    plan.pools[0] = pool(NodeMode::Shared, &["ecs.g6.large"]);
    plan.thresholds.shared = 5;
    assert_eq!(plan.findings(), [], "a lower threshold");
}

/// Promise: dual stack in shared mode needs as many IPv6 addresses as IPv4 ones; in exclusive mode it does not.
#[test]
fn dual_stack_needs_types_with_ipv6() {
    let put = |mode, name| move |plan: &mut Plan| plan.pools[0] = pool(mode, &[name]);
    let words = ["ecs.g6.4xlarge has 20 IPv4 addresses", "1 IPv6"];
    refused(
        dual(),
        "ipv6_differs",
        &words,
        put(NodeMode::Shared, "ecs.g6.4xlarge"),
    );
    let mut plan = dual();
    put(NodeMode::Exclusive, "ecs.g6.4xlarge")(&mut plan);
    assert_eq!(plan.findings(), []);
    let mut plan = good();
    put(NodeMode::Shared, "ecs.g6.4xlarge")(&mut plan);
    assert_eq!(plan.findings(), [], "IPv4 alone");
}
