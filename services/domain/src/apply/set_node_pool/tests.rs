use crate::apply::testing::jobs::*;
use crate::apply::testing::*;
use crate::capacity::NodeMode;
use crate::command::*;
use crate::id::*;
use crate::outcome::Refusal;
use crate::row::EniTag;

fn in_pool(pool: NodePoolId) -> RegisterNode {
    RegisterNode {
        eni_slots: 2,
        addresses_per_eni: 3,
        pool: Some(pool),
        ..register_node("worker-5", "i-5")
    }
}

/// Promise: a pool's settings change, its mode only while it has no nodes, and the same again takes no revision.
#[test]
fn a_mode_is_for_life() {
    let (mut cloud, id) = Cloudy::pooled();
    let mut set = cloud.set_pool();
    let before = cloud.world.ledger.revision();
    cloud.world.done(Command::SetNodePool(set.clone()));
    assert_eq!(cloud.world.ledger.revision(), before);
    set.mode = NodeMode::Exclusive;
    cloud.world.done(Command::SetNodePool(set.clone()));
    let node = cloud.world.node(in_pool(id));
    set.mode = NodeMode::Shared;
    let said = cloud.world.refused(Command::SetNodePool(set.clone()));
    assert!(
        said.to_string()
            .contains("1 nodes in mode exclusive (worker-5)"),
        "{said}"
    );
    set.mode = NodeMode::Exclusive;
    (set.idle.min, set.idle.max) = (2, 7);
    cloud.world.done(Command::SetNodePool(set));
    let row = cloud.world.ledger.node_pool(id).expect("there");
    assert_eq!((row.id, row.idle.min, row.idle.max), (id, 2, 7));
    let node = cloud.world.ledger.node(node).expect("there");
    assert_eq!(cloud.world.ledger.pool_of(node), Some(row));
}

/// Promise: a pool of what cannot be is refused, and the refusal says what to do.
#[test]
fn what_cannot_be_is_refused() {
    let (mut cloud, _) = Cloudy::pooled();
    let unnamed = cloud
        .world
        .ledger
        .vswitch_named(&name("vsw-cloud", VSwitchName::new));
    let unnamed = unnamed.expect("there").id;
    let routed = cloud.world.vswitch;
    let dual = cloud.world.vswitch(CreateVSwitch {
        kind: crate::address::NetworkKind::Vpc,
        cloud: Some(name("vsw-2", CloudVSwitchId::new)),
        ..create_vswitch(
            "vsw-dual",
            subnet("10.3.0.0/24", None),
            subnet("fd01::/120", None),
        )
    });
    let ours = cloud.vswitch;
    type Change = Box<dyn Fn(&mut SetNodePool)>;
    let cases: [(Change, &str); 17] = [
        (
            Box::new(|set| set.vswitches.clear()),
            "vswitches: has 0 entries",
        ),
        (
            Box::new(move |set| set.vswitches = vec![ours, ours]),
            "vsw-pods is there twice",
        ),
        (
            Box::new(move |set| set.vswitches = vec![routed]),
            "there are no ENIs in it",
        ),
        (
            Box::new(move |set| set.vswitches = vec![unnamed]),
            "has no cloud_id",
        ),
        (
            Box::new(move |set| set.vswitches = vec![ours, dual]),
            "vsw-dual has IPv6 and vsw-pods has not",
        ),
        (
            Box::new(move |set| set.draining = vec![dual]),
            "draining: vsw-dual is not one of",
        ),
        (
            Box::new(|set| set.vswitches = vec![VSwitchId(999)]),
            "vSwitch 999 does not exist",
        ),
        (
            Box::new(|set| set.security_groups.clear()),
            "security_groups: has 0 entries",
        ),
        (
            Box::new(|set| set.security_groups = vec![name("sg-1", SecurityGroup::new); 2]),
            "sg-1 is there twice",
        ),
        (
            Box::new(|set| set.idle.min = 5),
            "min_idle: 5 is above max_idle 4",
        ),
        (Box::new(|set| set.idle.max = 513), "max_idle: is above 512"),
        (
            Box::new(|set| set.idle.warm_up = 513),
            "warm_up: is above 512",
        ),
        (
            Box::new(|set| set.idle.reclaim_batch = 3),
            "reclaim_after: is missing",
        ),
        (
            Box::new(|set| set.idle.reclaim_after_ms = 8 * 24 * 3_600_000),
            "reclaim_after: is longer than a week",
        ),
        (
            Box::new(|set| (set.acceleration, set.mode) = (true, NodeMode::Exclusive)),
            "acceleration: is on (DataPath V2, IPVLAN), and the pool's nodes are exclusive",
        ),
        (
            Box::new(|set| set.eni_tags = vec![tag("berth-job", "7")]),
            "eni_tags: berth-job is reserved",
        ),
        (
            Box::new(|set| set.eni_tags = vec![tag("team", "a"), tag("team", "b")]),
            "eni_tags: team is there twice",
        ),
    ];
    for (change, words) in cases {
        let mut set = cloud.set_pool();
        change(&mut set);
        let said = cloud.world.refused(Command::SetNodePool(set)).to_string();
        assert!(said.contains(words), "{said}");
    }
}

/// Promise: neither a pool with nodes nor a vSwitch of a pool can be deleted, nor can the last vSwitch of a node's zone leave.
#[test]
fn what_is_in_use_stays() {
    let (mut cloud, id) = Cloudy::pooled();
    let node = cloud.world.node(in_pool(id));
    let vswitch = Command::DeleteVSwitch(DeleteVSwitch {
        name: name("vsw-pods", VSwitchName::new),
    });
    let pool = Command::DeleteNodePool(DeleteNodePool {
        name: name("web", NodePoolName::new),
    });
    let said = cloud.world.refused(vswitch.clone()).to_string();
    assert!(said.contains("node pool web"), "{said}");
    let said = cloud.world.refused(pool.clone()).to_string();
    assert!(said.contains("1 nodes"), "{said}");
    let far = cloud.world.vswitch(CreateVSwitch {
        kind: crate::address::NetworkKind::Vpc,
        zone: name("zone-b", Zone::new),
        cloud: Some(name("vsw-3", CloudVSwitchId::new)),
        ..create_vswitch("vsw-far", subnet("10.4.0.0/24", None), None)
    });
    let mut set = cloud.set_pool();
    set.vswitches = vec![far];
    let said = cloud.world.refused(Command::SetNodePool(set)).to_string();
    assert!(said.contains("none is left in zone zone-a"), "{said}");
    cloud.world.done(Command::RemoveNode(RemoveNode {
        node,
        confirmed_dead: false,
    }));
    cloud.world.done(pool.clone());
    cloud.world.done(vswitch);
    assert!(matches!(
        cloud.world.refused(pool),
        Refusal::NotFound { .. }
    ));
}

fn tag(key: &str, value: &str) -> EniTag {
    EniTag {
        key: name(key, TagKey::new),
        value: name(value, TagValue::new),
    }
}
