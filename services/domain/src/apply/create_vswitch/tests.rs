use crate::address::{AddressRange, NetworkKind};
use crate::apply::testing::*;
use crate::command::*;
use crate::id::*;
use crate::outcome::Refusal;

fn refusal(command: CreateVSwitch) -> String {
    World::new()
        .refused(Command::CreateVSwitch(command))
        .to_string()
}

/// Promise: every CIDR or gateway that cannot be is refused, with the field and what would do.
#[test]
fn what_cannot_be() {
    let v4 = |cidr, gateway| create_vswitch("vsw-b", subnet(cidr, gateway), None);
    let v6 = |cidr, gateway| create_vswitch("vsw-b", None, subnet(cidr, gateway));
    let vpc = |cidr, gateway| CreateVSwitch {
        kind: NetworkKind::Vpc,
        ..v4(cidr, gateway)
    };
    let table = [
        (
            create_vswitch("vsw-b", None, None),
            "ipv4.cidr: is missing, and so is ipv6.cidr: give at least one",
        ),
        (
            v4("10.1.0.1/24", None),
            "ipv4.cidr: 10.1.0.1/24 has host bits: use 10.1.0.0/24",
        ),
        (
            v6("fd00::1/64", None),
            "ipv6.cidr: fd00::1/64 has host bits: use fd00::/64",
        ),
        (
            v4("8.0.0.0/7", None),
            "ipv4.cidr: 8.0.0.0/7 is too large: prefixes from /8 to /32 are allowed",
        ),
        (
            v6("fd00::/47", None),
            "ipv6.cidr: fd00::/47 is too large: prefixes from /48 to /128 are allowed",
        ),
        (
            v4("fd00::/64", None),
            "ipv4.cidr: fd00::/64 is not an IPv4 CIDR",
        ),
        (
            v6("10.1.0.0/24", None),
            "ipv6.cidr: 10.1.0.0/24 is not an IPv6 CIDR",
        ),
        (
            v6("::ffff:0:0/96", None),
            "ipv6.cidr: ::ffff:0.0.0.0/96 lies among the IPv4-mapped addresses",
        ),
        (
            v4("10.1.0.0/24", Some("10.2.0.1")),
            "ipv4.gateway: 10.2.0.1 lies outside 10.1.0.0/24",
        ),
        (
            v4("10.1.0.0/24", Some("10.1.0.255")),
            "ipv4.gateway: 10.1.0.255 is the network or the broadcast address of 10.1.0.0/24",
        ),
        (
            vpc("10.1.0.0/30", None),
            "ipv4.cidr: 10.1.0.0/30 is too small: a VPC's vSwitch has at least 8 addresses",
        ),
        (
            vpc("10.1.0.0/24", Some("10.1.0.1")),
            "ipv4.gateway: 10.1.0.1 is not the VPC's gateway of 10.1.0.0/24, which is 10.1.0.253",
        ),
        (
            v4("10.1.0.1/32", Some("10.1.0.1")),
            "ipv4.cidr: 10.1.0.1/32 has no address left after the exclusions",
        ),
    ];
    for (command, expected) in table {
        assert_eq!(refusal(command), expected);
    }
}

/// Promise (A17): a subnet that overlaps another vSwitch's is refused with both, and the name must be new.
#[test]
fn no_overlap() {
    for cidr in ["10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/16", "10.0.0.7/32"] {
        let expected = format!("{cidr} overlaps 10.0.0.0/24 of vSwitch vsw-a");
        assert_eq!(
            refusal(create_vswitch("vsw-b", subnet(cidr, None), None)),
            expected
        );
    }
    let same_name = create_vswitch("vsw-a", subnet("10.1.0.0/24", None), None);
    assert_eq!(refusal(same_name), "vSwitch vsw-a exists already");
    World::new().vswitch(create_vswitch("vsw-b", subnet("10.0.1.0/24", None), None));
}

/// Promise: exclusions by the administrator are added to those by rule, counted once, and must lie inside.
#[test]
fn exclusions() {
    let range = |first, last| AddressRange {
        first: ip(first),
        last: ip(last),
    };
    let with = |exclusions| CreateVSwitch {
        exclusions,
        ..create_vswitch("vsw-b", subnet("10.1.0.0/24", Some("10.1.0.1")), None)
    };
    let mut world = World::new();
    let id = world.vswitch(with(vec![
        range("10.1.0.0", "10.1.0.9"),
        range("10.1.0.5", "10.1.0.19"),
    ]));
    let counts = world
        .ledger
        .counts(id)
        .and_then(|counts| counts.ipv4)
        .expect("counts");
    assert_eq!(
        (counts.excluded, counts.free, counts.never_used),
        (21, 235, 235)
    );
    for outside in [
        range("10.1.0.250", "10.1.1.5"),
        range("10.1.0.9", "10.1.0.5"),
        range("fd00::", "fd00::1"),
    ] {
        assert!(refusal(with(vec![outside])).starts_with("exclusions:"));
    }
    let many = vec![range("10.1.0.9", "10.1.0.9"); 257];
    assert_eq!(
        refusal(with(many)),
        "exclusions: has 257 ranges, at most 256 are allowed"
    );
}

/// Promise: the largest subnets are counted exactly, and cost nothing before they are used.
#[test]
fn the_largest_subnets() {
    let mut world = World::new();
    let largest = create_vswitch(
        "vsw-l",
        subnet("11.0.0.0/8", None),
        subnet("fd00::/48", None),
    );
    let id = world.vswitch(largest);
    let counts = world.ledger.counts(id).expect("counts");
    assert_eq!(
        counts.ipv4.map(|v4| (v4.size, v4.free)),
        Some((1 << 24, (1 << 24) - 2))
    );
    assert_eq!(
        counts.ipv6.map(|v6| (v6.size, v6.free)),
        Some((1 << 80, (1 << 80) - 1))
    );
    assert_eq!(world.ledger.sizes().addresses, 0);
}

/// Promise: a vSwitch in use is not deleted, with every state counted; one with free and cooling addresses is, and its
/// addresses are forgotten.
#[test]
fn deletion() {
    let mut world = World::new();
    let delete = || {
        Command::DeleteVSwitch(DeleteVSwitch {
            name: name("vsw-a", VSwitchName::new),
        })
    };
    world.bind(world.add("a", "10.0.0.5"));
    let expected = "vSwitch vsw-a is in use: ipv4 size 256: free 253, bound 1, excluded 2";
    let refusal = world.refused(delete());
    assert!(
        matches!(&refusal, Refusal::InUse { .. } if refusal.to_string() == expected),
        "{refusal}"
    );
    world.release(world.del("a"));
    world.done(delete());
    assert_eq!(
        (world.ledger.sizes().addresses, world.ledger.sizes().cooling),
        (0, 0)
    );
    assert_eq!(
        world.refused(delete()).to_string(),
        "vSwitch vsw-a does not exist"
    );
    world.vswitch(create_vswitch("vsw-a", subnet("10.0.0.0/24", None), None));
}
