use super::*;
use crate::capacity::{Capacity, NodeMode, NodeSetup, Stack};
use std::collections::BTreeSet;

/// What a type gives in one mode, and whether it joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gives {
    Joins(u64),
    Refused(u64),
}
use Gives::{Joins, Refused};

/// Type, pods in shared mode, in exclusive mode, pods with an ENI of their own on a trunk, and whether dual stack can be
/// had in shared mode. None = not known.
type Expected = (&'static str, Gives, Gives, Option<u64>, Option<bool>);

/// Written out, not computed: more than 11 join in shared mode, more than 6 in exclusive mode.
const EXPECTED: [Expected; 59] = [
    ("ecs.g7.large", Joins(12), Refused(2), None, Some(true)),
    ("ecs.g7.xlarge", Joins(45), Refused(3), Some(16), Some(true)),
    ("ecs.g7.2xlarge", Joins(45), Refused(3), None, Some(true)),
    ("ecs.g7.3xlarge", Joins(105), Joins(7), None, Some(true)),
    ("ecs.g7.4xlarge", Joins(210), Joins(7), None, Some(true)),
    ("ecs.g7.6xlarge", Joins(210), Joins(7), None, Some(true)),
    ("ecs.g7.8xlarge", Joins(210), Joins(7), None, Some(true)),
    ("ecs.g7.16xlarge", Joins(210), Joins(7), None, Some(true)),
    ("ecs.g7.32xlarge", Joins(420), Joins(14), None, Some(true)),
    ("ecs.c7.2xlarge", Joins(45), Refused(3), None, Some(true)),
    ("ecs.c7.4xlarge", Joins(210), Joins(7), None, Some(true)),
    ("ecs.r6.2xlarge", Joins(30), Refused(3), None, Some(false)),
    ("ecs.g6.large", Refused(6), Refused(1), Some(0), Some(false)),
    ("ecs.g6.xlarge", Joins(20), Refused(2), None, Some(false)),
    ("ecs.g6.2xlarge", Joins(30), Refused(3), None, Some(false)),
    ("ecs.g6.3xlarge", Joins(50), Refused(5), None, Some(false)),
    ("ecs.g6.4xlarge", Joins(140), Joins(7), None, Some(false)),
    ("ecs.g6.6xlarge", Joins(140), Joins(7), None, Some(false)),
    ("ecs.g6.8xlarge", Joins(140), Joins(7), Some(0), Some(false)),
    ("ecs.g6.13xlarge", Joins(120), Refused(6), None, Some(false)),
    (
        "ecs.g6.16xlarge",
        Joins(140),
        Joins(7),
        Some(52),
        Some(false),
    ),
    ("ecs.g6.26xlarge", Joins(280), Joins(14), None, Some(false)),
    ("ecs.g6a.xlarge", Joins(30), Refused(2), None, Some(false)),
    ("ecs.g6a.2xlarge", Joins(45), Refused(3), None, Some(false)),
    ("ecs.g6a.8xlarge", Joins(180), Refused(6), None, Some(false)),
    ("ecs.g6a.32xlarge", Joins(420), Joins(14), None, Some(false)),
    ("ecs.g6e.large", Joins(12), Refused(2), None, Some(false)),
    ("ecs.g6e.xlarge", Joins(45), Refused(3), None, Some(false)),
    ("ecs.g6e.4xlarge", Joins(210), Joins(7), None, Some(false)),
    (
        "ecs.g6e.13xlarge",
        Joins(180),
        Refused(6),
        None,
        Some(false),
    ),
    ("ecs.g6e.26xlarge", Joins(420), Joins(14), None, Some(false)),
    ("ecs.g8a.large", Joins(12), Refused(2), None, Some(true)),
    ("ecs.g8a.xlarge", Joins(45), Refused(3), None, Some(true)),
    ("ecs.g8a.2xlarge", Joins(45), Refused(3), None, Some(true)),
    ("ecs.g8ine.large", Joins(20), Refused(2), None, Some(true)),
    ("ecs.g8ine.xlarge", Joins(45), Refused(3), None, Some(true)),
    ("ecs.g8ine.2xlarge", Joins(75), Refused(5), None, Some(true)),
    ("ecs.g8ine.4xlarge", Joins(210), Joins(7), None, Some(true)),
    ("ecs.g9i.large", Joins(12), Refused(2), None, Some(true)),
    ("ecs.g9i.xlarge", Joins(45), Refused(3), None, Some(true)),
    ("ecs.g9i.3xlarge", Joins(105), Joins(7), None, Some(true)),
    ("ecs.g9i.4xlarge", Joins(210), Joins(7), None, Some(true)),
    ("ecs.g9i.24xlarge", Joins(420), Joins(14), None, Some(true)),
    ("ecs.g9i.48xlarge", Joins(700), Joins(14), None, Some(true)),
    ("ecs.g9ae.large", Joins(12), Refused(2), None, Some(true)),
    ("ecs.g9ae.xlarge", Joins(45), Refused(3), None, Some(true)),
    ("ecs.g9ae.4xlarge", Joins(210), Joins(7), None, Some(true)),
    ("ecs.g9ae.24xlarge", Joins(420), Joins(14), None, Some(true)),
    ("ecs.g9ae.48xlarge", Joins(700), Joins(14), None, Some(true)),
    (
        "ecs.u1-c1m4.xlarge",
        Joins(20),
        Refused(2),
        Some(3),
        Some(false),
    ),
    (
        "ecs.t6-c1m1.large",
        Refused(2),
        Refused(1),
        None,
        Some(false),
    ),
    (
        "ecs.t6-c1m4.xlarge",
        Refused(6),
        Refused(1),
        None,
        Some(false),
    ),
    (
        "ecs.s6-c1m2.16xlarge",
        Refused(6),
        Refused(1),
        Some(0),
        Some(false),
    ),
    (
        "ecs.ic5.large",
        Refused(6),
        Refused(1),
        Some(0),
        Some(false),
    ),
    (
        "ecs.t1.xsmall",
        Refused(0),
        Refused(0),
        Some(0),
        Some(false),
    ),
    (
        "ecs.ebmg5.24xlarge",
        Joins(310),
        Joins(31),
        Some(0),
        Some(false),
    ),
    (
        "ecs.ebmre7p.32xlarge",
        Joins(465),
        Joins(31),
        Some(78),
        Some(false),
    ),
    (
        "ecs.gn6i-c4g1.xlarge",
        Refused(10),
        Refused(1),
        Some(13),
        None,
    ),
    ("ecs.gn8v.4xlarge", Joins(210), Joins(7), None, Some(true)),
];

fn capacity(limits: &InstanceLimits, mode: NodeMode, stack: Stack) -> Capacity {
    limits.capacity(&NodeSetup {
        mode,
        stack,
        ..NodeSetup::default()
    })
}

fn gives(limits: &InstanceLimits, mode: NodeMode) -> Gives {
    let capacity = capacity(limits, mode, Stack::Ipv4);
    match capacity.may_join() {
        true => Joins(capacity.pods),
        false => Refused(capacity.pods),
    }
}

fn dual_stack(limits: &InstanceLimits) -> Option<bool> {
    limits.ipv6_per_eni?;
    let obstacles = capacity(limits, NodeMode::Shared, Stack::Dual).obstacles;
    Some(
        !obstacles
            .iter()
            .any(|obstacle| obstacle.code() == "ipv6_differs"),
    )
}

fn seen(instance_type: &'static str, limits: &InstanceLimits) -> Expected {
    let trunk = capacity(limits, NodeMode::SharedTrunk, Stack::Ipv4);
    (
        instance_type,
        gives(limits, NodeMode::Shared),
        gives(limits, NodeMode::Exclusive),
        trunk.own_eni_pods,
        dual_stack(limits),
    )
}

/// Promise: every type gives exactly the pods of the table, joins or is refused as it says, and has the trunk it says.
#[test]
fn every_type_gives_what_the_table_says() {
    for expected in EXPECTED {
        let limits = find(expected.0).expect(expected.0);
        assert_eq!(seen(expected.0, &limits), expected);
    }
    let known: BTreeSet<&str> = all().map(|(name, _)| name).collect();
    let expected: BTreeSet<&str> = EXPECTED.iter().map(|row| row.0).collect();
    assert_eq!(known, expected);
    assert_eq!(known.len(), TABLE.len(), "a type stands there twice");
    // The control: with an ENI more a row is another.
    let mut limits = find("ecs.g6.13xlarge").expect("known");
    limits.enis += 1;
    let row = EXPECTED.iter().find(|row| row.0 == "ecs.g6.13xlarge");
    assert_ne!(Some(&seen("ecs.g6.13xlarge", &limits)), row);
}

/// Promise: what no source has said of a type is not known, and is not taken from its neighbours.
#[test]
fn what_nobody_said_is_not_known() {
    let trunks = all()
        .filter(|(_, limits)| limits.can_trunk.is_some())
        .count();
    assert_eq!(trunks, 11);
    for (name, limits) in all() {
        assert_eq!(
            limits.can_trunk.is_some(),
            limits.total_enis.is_some(),
            "{name}"
        );
        assert_eq!(limits.rdma_enis, None, "{name}");
        assert_eq!(
            limits.ipv6_per_eni.is_none(),
            name == "ecs.gn6i-c4g1.xlarge",
            "{name}"
        );
    }
    assert_eq!(find("ecs.g7.12xlarge"), None);
    assert_eq!(find(""), None);
}

/// Promise: a mistyped name is answered with near ones, the one that was meant first; nonsense with an example.
#[test]
fn a_mistyped_name_names_near_ones() {
    assert_eq!(like("ecs.g7.4xlrage")[0], "ecs.g7.4xlarge");
    assert_eq!(like("g7.4xlarge")[0], "ecs.g7.4xlarge");
    assert!(like("ecs.g7.12xlarge").contains(&"ecs.g7.2xlarge"));
    let words = unknown("ecs.g7.4xlrage");
    assert!(
        words.starts_with("ecs.g7.4xlrage is not a known type; near to it are ecs.g7.4xlarge, "),
        "{words}"
    );
    let words = unknown("Standard_D4s_v5_of_another_cloud");
    assert!(words.ends_with("a name looks like ecs.g7.large"), "{words}");
}
