use crate::apply::testing::jobs::*;
use crate::apply::testing::*;
use crate::command::*;
use crate::id::*;
use crate::outcome::Refusal;
use crate::row::*;

/// Promise: the intent is in the ledger before any call: the ENI is planned, its addresses are nobody else's.
#[test]
fn the_intent_comes_first() {
    let mut cloud = Cloudy::new();
    let job = cloud.begin(cloud.create(&["10.1.0.5", "10.1.0.6"]));
    let row = cloud.job(job);
    assert_eq!(
        (row.work, row.step, row.attempt),
        (Work::CreateEni, Step::Create, 0)
    );
    let eni = cloud.world.ledger.eni(row.eni).expect("planned").clone();
    assert_eq!(
        (eni.state, eni.id.clone(), eni.primary),
        (EniState::Planned, None, ip("10.1.0.5"))
    );
    let node = cloud.node;
    for at in ["10.1.0.5", "10.1.0.6"] {
        assert_eq!(
            cloud.world.state(at),
            Some(AddressState::Reserved { node, job })
        );
        let again = cloud.refused(cloud.create(&[at]));
        assert_eq!(again, Refusal::Taken { address: ip(at) });
    }
}

/// Promise: what cannot be is refused before anything is called, with the numbers.
#[test]
fn what_cannot_be_is_refused() {
    let mut cloud = Cloudy::new();
    let none: [&str; 0] = [];
    for (addresses, words) in [
        (&none[..], "1 to 512"),
        (&["10.1.0.5", "10.1.0.5"][..], "twice"),
        (&["fd01::5"][..], "1 of ipv6"),
        (
            &["10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4"][..],
            "4 of 3 addresses",
        ),
    ] {
        let said = cloud.refused(cloud.create(addresses)).to_string();
        assert!(said.contains(words) || said.contains("has 4"), "{said}");
    }
    let many: Vec<String> = (10..21).map(|n| format!("10.1.0.{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let said = cloud.refused(cloud.create(&many)).to_string();
    assert!(said.contains("at most 10"), "{said}");
    let routed = Plan::CreateEni {
        vswitch: cloud.world.vswitch,
        kind: EniKind::Secondary,
        security_groups: vec![name("sg-1", SecurityGroup::new)],
        addresses: vec![ip("10.0.0.5")],
    };
    assert!(cloud.refused(routed).to_string().contains("routed"));
}

/// Promise: a node has as many ENIs as slots, also while they are only planned; another zone's vSwitch is refused.
#[test]
fn slots_and_zones() {
    let mut cloud = Cloudy::new();
    cloud.begin(cloud.create(&["10.1.0.5"]));
    cloud.begin(cloud.create(&["10.1.0.6"]));
    let said = cloud.refused(cloud.create(&["10.1.0.7"])).to_string();
    assert_eq!(said, "node worker-9 has 2 of 2 ENIs for pods");
    let far = cloud.far_node();
    let refused = cloud.world.refused(Command::BeginJob(BeginJob {
        node: far,
        plan: cloud.create(&["10.1.0.7"]),
    }));
    assert!(refused.to_string().contains("across zones"), "{refused}");
}

/// Promise: only what is idle leaves an ENI; never the primary address, never what a pod has or had a moment ago.
#[test]
fn only_idle_addresses_leave() {
    let mut cloud = Cloudy::new();
    let eni = cloud.in_use(&["10.1.0.5", "10.1.0.6", "10.1.0.7"]);
    let take = |addresses: &[&str]| Plan::Unassign {
        eni,
        addresses: addresses.iter().map(|at| ip(at)).collect(),
    };
    let said = cloud.refused(take(&["10.1.0.5"])).to_string();
    assert!(said.contains("primary"), "{said}");
    cloud.bind("a", "10.1.0.6");
    let taken = Refusal::Taken {
        address: ip("10.1.0.6"),
    };
    assert_eq!(cloud.refused(take(&["10.1.0.6"])), taken);
    assert_eq!(
        cloud.refused(Plan::DeleteEni {
            eni,
            trunk_too: true
        }),
        taken
    );
    let mut del = cloud.world.del("a");
    del.node = cloud.node;
    assert!(cloud.world.release(del));
    assert_eq!(cloud.refused(take(&["10.1.0.6"])), taken);
    cloud.world.now_ms += COOLING_MS;
    cloud.world.expire();
    let job = cloud.begin(take(&["10.1.0.6"]));
    let node = Some(cloud.node);
    assert_eq!(
        cloud.world.state("10.1.0.6"),
        Some(AddressState::Releasing { node, job })
    );
    let said = cloud
        .refused(Plan::DeleteEni {
            eni,
            trunk_too: true,
        })
        .to_string();
    assert!(said.contains("job"), "{said}");
}

/// Promise: nobody gets an address that the cloud has not confirmed on an ENI of ours: not by a bind, not by a stock.
#[test]
fn nothing_goes_past_the_cloud() {
    let mut cloud = Cloudy::new();
    cloud.in_use(&["10.1.0.5"]);
    let mut bind = cloud.world.add("a", "10.1.0.9");
    bind.node = cloud.node;
    bind.vswitch = cloud.vswitch;
    bind.eni = Some(name("eni-1", EniId::new));
    let taken = Refusal::Taken {
        address: ip("10.1.0.9"),
    };
    assert_eq!(cloud.world.refused(Command::Bind(bind.clone())), taken);
    // Of an ENI that is not ours nothing is known.
    bind.eni = Some(name("eni-other", EniId::new));
    cloud.world.bind(bind);
    let stock = Command::Stock(Stock {
        vswitch: cloud.vswitch,
        node: cloud.node,
        eni: Some(name("eni-1", EniId::new)),
        addresses: vec![ip("10.1.0.8")],
    });
    assert!(cloud.world.refused(stock).to_string().contains("by a job"));
    let reclaim = Command::Reclaim(Reclaim {
        vswitch: cloud.vswitch,
        node: cloud.node,
        addresses: vec![ip("10.1.0.5")],
    });
    assert_eq!(
        cloud.world.refused(reclaim),
        Refusal::Taken {
            address: ip("10.1.0.5")
        }
    );
}

/// Promise: below the cluster version that knows jobs nothing of the kind is in the log.
#[test]
fn older_members_never_meet_a_job() {
    let mut world = World::new();
    let node = world.nodes[0];
    let plan = Plan::DeleteEni {
        eni: EniNumber(1),
        trunk_too: false,
    };
    let refused = world.refused(Command::BeginJob(BeginJob { node, plan }));
    assert!(matches!(
        refused,
        Refusal::VersionTooLow {
            command: "begin-job",
            ..
        }
    ));
}
