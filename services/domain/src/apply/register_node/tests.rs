use crate::apply::testing::jobs::*;
use crate::apply::testing::*;
use crate::capacity::NodeMode;
use crate::command::*;
use crate::id::*;
use crate::outcome::Refusal;
use crate::row::*;

fn in_pool(pool: NodePoolId) -> RegisterNode {
    RegisterNode {
        eni_slots: 2,
        addresses_per_eni: 3,
        pool: Some(pool),
        ..register_node("worker-9", "i-9")
    }
}

/// Promise: a node joins a pool that has a vSwitch in its zone, with the room of its type, and is told why not.
#[test]
fn a_node_fits_its_pool() {
    let (mut cloud, id) = Cloudy::pooled();
    let cases = [
        (
            RegisterNode {
                zone: name("zone-b", Zone::new),
                ..in_pool(id)
            },
            "pool web has no vSwitch in \"zone-b\", it has some in zone-a",
        ),
        (
            RegisterNode {
                eni_slots: 0,
                ..in_pool(id)
            },
            "instance_type: is missing",
        ),
        (
            RegisterNode {
                warm_target: 3,
                ..in_pool(id)
            },
            "warm_target: is of pool web",
        ),
        (in_pool(NodePoolId(999)), "node pool 999 does not exist"),
    ];
    for (node, words) in cases {
        let said = cloud.world.refused(Command::RegisterNode(node)).to_string();
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(cloud.world.node(in_pool(id)), cloud.node);
}

/// Promise: a node with ENIs keeps its pool, zone and room; without any it may move to another pool of its mode, and to no other.
#[test]
fn a_node_with_enis_stays_what_it_is() {
    let (mut cloud, id) = Cloudy::pooled();
    cloud.world.node(in_pool(id));
    let job = cloud.begin(cloud.create(&["10.2.0.5", "10.2.0.6"]));
    for other in [
        RegisterNode {
            pool: None,
            ..in_pool(id)
        },
        RegisterNode {
            eni_slots: 3,
            ..in_pool(id)
        },
        RegisterNode {
            zone: name("zone-b", Zone::new),
            ..in_pool(id)
        },
    ] {
        let said = cloud
            .world
            .refused(Command::RegisterNode(other))
            .to_string();
        assert!(said.contains("1 ENIs and 0 allocations"), "{said}");
    }
    cloud.world.node(RegisterNode {
        name: name("worker-renamed", NodeName::new),
        ..in_pool(id)
    });
    let refused = Report::Refused {
        cause: Cause::Quota,
        foreign: Vec::new(),
    };
    cloud.through(job, [refused]);
    let mut pool_of = |pool_name: &str, mode: NodeMode| {
        let pool = SetNodePool {
            name: name(pool_name, NodePoolName::new),
            mode,
            ..cloud.set_pool()
        };
        cloud.world.done(Command::SetNodePool(pool.clone()));
        let row = cloud.world.ledger.node_pool_named(&pool.name);
        row.expect("made").id
    };
    let (alike, unlike) = (
        pool_of("alike", NodeMode::Shared),
        pool_of("unlike", NodeMode::Exclusive),
    );
    for pool in [None, Some(unlike)] {
        let other = RegisterNode {
            pool,
            ..in_pool(id)
        };
        let refused = cloud.world.refused(Command::RegisterNode(other));
        let said = refused.to_string();
        assert!(said.contains("keeps mode shared for life"), "{said}");
    }
    cloud.world.node(in_pool(alike));
}

/// Promise: on a node in a pool an address is bound from an ENI alone, and never a static one.
#[test]
fn addresses_come_from_enis_alone() {
    let (mut cloud, id) = Cloudy::pooled();
    cloud.world.node(in_pool(id));
    cloud.in_use(&["10.2.0.5", "10.2.0.6"]);
    let eni = name("eni-1", EniId::new);
    let bind = |eni: Option<&EniId>, address: &str| Bind {
        node: cloud.node,
        vswitch: cloud.vswitch,
        eni: eni.cloned(),
        ..cloud.world.add("a", address)
    };
    let free = bind(None, "10.2.0.9");
    let beside = bind(Some(&name("eni-else", EniId::new)), "10.2.0.9");
    let warm = bind(Some(&eni), "10.2.0.6");
    let fixed = Bind {
        claim: BindClaim::New {
            name: claim_name("a"),
            policy: Policy::Never,
        },
        ..warm.clone()
    };
    for wrong in [free, beside] {
        let address = wrong.addresses[0];
        let refusal = cloud.world.refused(Command::Bind(wrong));
        assert_eq!(refusal, Refusal::Taken { address });
    }
    let said = cloud.world.refused(Command::Bind(fixed)).to_string();
    assert!(said.contains("cannot be static yet"), "{said}");
    cloud.world.bind(warm);
}
