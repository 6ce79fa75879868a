use super::*;

/// ecs.g7.4xlarge, with a trunk and eRDMA as a larger sister has them.
const LARGE: InstanceLimits = InstanceLimits {
    enis: 8,
    total_enis: Some(60),
    addresses_per_eni: 30,
    ipv6_per_eni: Some(30),
    can_trunk: Some(true),
    rdma_enis: Some(4),
};

fn setup(mode: NodeMode) -> NodeSetup {
    NodeSetup {
        mode,
        ..NodeSetup::default()
    }
}

fn codes(limits: &InstanceLimits, setup: &NodeSetup) -> Vec<&'static str> {
    let obstacles = limits.capacity(setup).obstacles;
    obstacles.iter().map(Obstacle::code).collect()
}

/// Promise: the three modes' formulas, on the example of the documentation: 210 shared, 7 exclusive.
#[test]
fn the_formulas() {
    let shared = LARGE.capacity(&setup(NodeMode::Shared));
    assert_eq!((shared.pods, shared.static_pods), (210, 7 * 29));
    assert_eq!(shared.own_eni_pods, Some(0));
    let trunk = LARGE.capacity(&setup(NodeMode::SharedTrunk));
    // The trunk is one of the seven and serves shared addresses too.
    assert_eq!((trunk.pods, trunk.static_pods), (210, 7 * 29));
    assert_eq!(trunk.own_eni_pods, Some(52));
    let exclusive = LARGE.capacity(&setup(NodeMode::Exclusive));
    assert_eq!((exclusive.pods, exclusive.static_pods), (7, 7));
    assert_eq!(exclusive.own_eni_pods, Some(7));
    assert!(shared.may_join() && trunk.may_join() && exclusive.may_join());
}

/// Promise: 12 pods join in shared mode and 11 do not, 7 in exclusive mode and 6 not; the refusal has both numbers.
#[test]
fn the_thresholds() {
    let small = |enis, addresses_per_eni| InstanceLimits {
        enis,
        addresses_per_eni,
        ..LARGE
    };
    let (shared, exclusive) = (setup(NodeMode::Shared), setup(NodeMode::Exclusive));
    assert!(small(3, 6).capacity(&shared).may_join());
    assert_eq!(codes(&small(2, 11), &shared), ["too_few_pods"]);
    assert!(small(8, 1).capacity(&exclusive).may_join());
    assert_eq!(codes(&small(7, 30), &exclusive), ["too_few_pods"]);
    let words = small(2, 11).capacity(&shared).obstacles[0].to_string();
    assert_eq!(
        words,
        "gives 11 pods in shared mode, more than 11 are needed"
    );
    let words = small(2, 6).capacity(&exclusive).obstacles[0].to_string();
    assert_eq!(
        words,
        "gives 1 pod in exclusive mode, more than 6 are needed"
    );
    let thresholds = Thresholds {
        shared: 12,
        exclusive: 5,
    };
    let (shared, exclusive) = (
        NodeSetup {
            thresholds,
            ..shared
        },
        NodeSetup {
            thresholds,
            ..exclusive
        },
    );
    assert_eq!(codes(&small(3, 6), &shared), ["too_few_pods"]);
    assert!(small(7, 30).capacity(&exclusive).may_join());
}

/// Promise: maxPods changes what is left for the host's network, and nothing else.
#[test]
fn max_pods_changes_the_headroom_only() {
    for mode in [NodeMode::Shared, NodeMode::SharedTrunk, NodeMode::Exclusive] {
        let usual = LARGE.capacity(&setup(mode));
        assert_eq!(usual.max_pods, 213, "three slots more than the shared pods");
        assert_eq!(usual.host_network_pods, 213 - usual.pods);
        for max_pods in [0, 7, 110, 500] {
            let said = NodeSetup {
                max_pods: Some(max_pods),
                ..setup(mode)
            };
            let capacity = LARGE.capacity(&said);
            let max_pods = u64::from(max_pods);
            assert_eq!(
                capacity.host_network_pods,
                max_pods.saturating_sub(usual.pods)
            );
            assert_eq!(
                capacity.stranded_addresses,
                usual.pods.saturating_sub(max_pods)
            );
            let rest = Capacity {
                max_pods: usual.max_pods,
                host_network_pods: usual.host_network_pods,
                stranded_addresses: usual.stranded_addresses,
                ..capacity
            };
            assert_eq!(rest, usual);
        }
    }
}

/// Promise: a trunk is there only if the type can and its total is above its ENIs; a total of 0 is none, not an overflow.
#[test]
fn a_trunk_needs_more_in_total() {
    let table = [
        (Some(60), Some(true), Some(52)),
        (Some(8), Some(true), Some(0)),
        (Some(8), None, Some(0)),
        (Some(7), Some(true), Some(0)),
        (Some(0), Some(true), Some(0)),
        (Some(0), None, Some(0)),
        (Some(60), Some(false), Some(0)),
        (None, Some(false), Some(0)),
        (None, Some(true), None),
        (Some(60), None, None),
        (None, None, None),
    ];
    for (total_enis, can_trunk, members) in table {
        let limits = InstanceLimits {
            total_enis,
            can_trunk,
            ..LARGE
        };
        assert_eq!(
            limits.trunk_members(),
            members,
            "{total_enis:?} {can_trunk:?}"
        );
    }
    let alone = InstanceLimits { enis: 1, ..LARGE };
    assert_eq!(alone.trunk_members(), Some(0), "no ENI could be the trunk");
}

/// Promise: eRDMA takes ENIs away from the pods: none of two, one of a few, two of many, never more than the type can.
#[test]
fn rdma_keeps_enis() {
    let table = [
        (2, 4, 0),
        (3, 4, 1),
        (7, 4, 1),
        (8, 4, 2),
        (8, 1, 1),
        (15, 0, 0),
    ];
    for (enis, rdma_enis, kept) in table {
        let limits = InstanceLimits {
            enis,
            rdma_enis: Some(rdma_enis),
            ..LARGE
        };
        assert_eq!(limits.kept_for_rdma(), kept, "{enis} {rdma_enis}");
        for mode in [NodeMode::Shared, NodeMode::Exclusive] {
            let without = limits.capacity(&setup(mode));
            let with = limits.capacity(&NodeSetup {
                rdma: true,
                ..setup(mode)
            });
            let each = if mode.shares() { 30 } else { 1 };
            assert_eq!(without.pods - with.pods, u64::from(kept) * each);
            assert_eq!((without.rdma_enis, with.rdma_enis), (0, kept));
            assert_eq!(with.rdma_pods, u64::from(kept) * 30);
            // In shared mode the same addresses are divided otherwise, so the host's network has what it had.
            if mode.shares() {
                assert_eq!(with.host_network_pods, HOST_NETWORK_PODS);
            }
        }
    }
}

/// Promise: eRDMA is refused where it cannot be, and where nobody knows; with dual stack it is refused on every type.
#[test]
fn rdma_has_its_refusals() {
    let of = |rdma_enis, enis| InstanceLimits {
        enis,
        rdma_enis,
        ..LARGE
    };
    let rdma = NodeSetup {
        rdma: true,
        ..NodeSetup::default()
    };
    let dual = NodeSetup {
        stack: Stack::Dual,
        ..rdma
    };
    assert_eq!(codes(&of(Some(4), 8), &rdma), [""; 0]);
    assert_eq!(codes(&of(Some(0), 8), &rdma), ["rdma_missing"]);
    assert_eq!(codes(&of(Some(4), 2), &rdma), ["rdma_without_room"]);
    assert_eq!(codes(&of(None, 8), &rdma), ["rdma_unknown"]);
    assert_eq!(codes(&of(Some(4), 8), &dual), ["rdma_with_dual_stack"]);
}

/// Promise: dual stack in shared mode needs as many IPv6 addresses as IPv4 ones; in exclusive mode one is enough.
#[test]
fn dual_stack_needs_ipv6() {
    let of = |ipv6_per_eni| InstanceLimits {
        ipv6_per_eni,
        ..LARGE
    };
    let dual = |mode| NodeSetup {
        stack: Stack::Dual,
        ..setup(mode)
    };
    let table = [
        (Some(30), None, None),
        (Some(29), Some("ipv6_differs"), None),
        (Some(31), Some("ipv6_differs"), None),
        (Some(1), Some("ipv6_differs"), None),
        (Some(0), Some("ipv6_differs"), Some("ipv6_missing")),
        (None, Some("ipv6_unknown"), Some("ipv6_unknown")),
    ];
    for (ipv6, shared, exclusive) in table {
        let limits = of(ipv6);
        let seen = |mode| codes(&limits, &dual(mode)).first().copied();
        assert_eq!(seen(NodeMode::Shared), shared, "{ipv6:?}");
        assert_eq!(seen(NodeMode::SharedTrunk), shared, "{ipv6:?}");
        assert_eq!(seen(NodeMode::Exclusive), exclusive, "{ipv6:?}");
        assert!(
            codes(&limits, &setup(NodeMode::Shared)).is_empty(),
            "IPv4 alone needs none"
        );
    }
    let words = of(Some(1)).capacity(&dual(NodeMode::Shared)).obstacles[0].to_string();
    assert!(
        words.starts_with("has 30 IPv4 addresses on an ENI and 1 IPv6 ones"),
        "{words}"
    );
}

/// Promise: no number that fits its field overflows, and nothing at all is no panic.
#[test]
fn absurd_numbers_do_not_overflow() {
    let numbers = [0, 1, 2, 3, u32::MAX - 1, u32::MAX];
    for enis in numbers {
        for other in numbers {
            let limits = InstanceLimits {
                enis,
                total_enis: Some(other),
                addresses_per_eni: other,
                ipv6_per_eni: Some(other),
                can_trunk: Some(true),
                rdma_enis: Some(other),
            };
            for mode in [NodeMode::Shared, NodeMode::SharedTrunk, NodeMode::Exclusive] {
                let capacity = limits.capacity(&NodeSetup {
                    mode,
                    stack: Stack::Dual,
                    rdma: other > 3,
                    max_pods: Some(other),
                    thresholds: Thresholds::default(),
                });
                assert!(capacity.static_pods <= capacity.pods);
            }
        }
    }
    let largest = InstanceLimits {
        enis: u32::MAX,
        addresses_per_eni: u32::MAX,
        ..LARGE
    };
    let pods = largest.capacity(&setup(NodeMode::Shared)).pods;
    assert_eq!(pods, (u64::from(u32::MAX) - 1) * u64::from(u32::MAX));
}
