use crate::apply::testing::*;
use crate::command::*;
use crate::id::*;
use crate::outcome::Refusal;
use crate::row::Phase;

fn ranges(texts: &[(&str, &str)]) -> Vec<crate::address::AddressRange> {
    let range = |(first, last): &(&str, &str)| crate::address::AddressRange {
        first: ip(first),
        last: ip(last),
    };
    texts.iter().map(range).collect()
}

/// 10.0.0.0/24, as the world's first vSwitch has it.
fn set(cidr: &str, exclusions: &[(&str, &str)]) -> SetVSwitch {
    SetVSwitch {
        name: name("vsw-a", VSwitchName::new),
        ipv4: subnet(cidr, None),
        ipv6: None,
        exclusions: ranges(exclusions),
        cooling_ms: 1_000,
    }
}

fn world() -> World {
    let mut world = World::new();
    world.raise(crate::version::CLOUD);
    world
}

fn phase(world: &World, at: &str) -> Phase {
    Phase::of(world.state(at).as_ref())
}

fn free(world: &World) -> u128 {
    let counts = world.ledger.counts(world.vswitch).expect("there");
    counts.ipv4.expect("IPv4").free
}

/// Promise: exclusions come and go on a vSwitch in use; the counts add up, and what is excluded is not given out.
#[test]
fn exclusions_come_and_go() {
    let mut world = world();
    let before = free(&world);
    let bind = world.add("a", "10.0.0.9");
    world.bind(bind);
    world.done(Command::SetVSwitch(set(
        "10.0.0.0/24",
        &[("10.0.0.100", "10.0.0.109")],
    )));
    assert_eq!(free(&world), before - 11);
    let excluded = world.add("b", "10.0.0.100");
    world.refused(Command::Bind(excluded));
    world.done(Command::SetVSwitch(set("10.0.0.0/24", &[])));
    assert_eq!(free(&world), before - 1);
    let bind = world.add("b", "10.0.0.100");
    world.bind(bind);
}

/// Promise: an address that somebody has is not taken from him: he is named, and nothing changes.
#[test]
fn what_is_used_stays() {
    let mut world = world();
    let bind = world.add("a", "10.0.0.9");
    world.bind(bind);
    let row = world.ledger.vswitch(world.vswitch).expect("there").clone();
    for wrong in [
        set("10.0.0.0/24", &[("10.0.0.9", "10.0.0.9")]),
        set("10.0.0.128/25", &[]),
        set("10.0.0.8/29", &[("10.0.0.9", "10.0.0.9")]),
    ] {
        match world.refused(Command::SetVSwitch(wrong)) {
            Refusal::InUse { by, .. } => {
                assert!(
                    by.contains("1 addresses") && by.contains("10.0.0.9 (bound)"),
                    "{by}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.ledger.vswitch(world.vswitch), Some(&row));
}

/// Promise: a CIDR grows and shrinks around what is used; what is cooling outside is forgotten, and the new room is given out.
#[test]
fn a_cidr_grows_and_shrinks() {
    let mut world = world();
    let bind = world.add("a", "10.0.0.9");
    world.bind(bind);
    let rests = world.add("b", "10.0.0.200");
    world.bind(rests);
    world.release(world.del("b"));
    assert_eq!(phase(&world, "10.0.0.200"), Phase::Cooling);
    world.done(Command::SetVSwitch(set("10.0.0.0/25", &[])));
    assert_eq!(phase(&world, "10.0.0.200"), Phase::NeverUsed);
    assert_eq!(free(&world), 128 - 2 - 1);
    world.done(Command::SetVSwitch(set("10.0.0.0/22", &[])));
    assert_eq!(free(&world), 1_024 - 2 - 1);
    let bind = world.add("c", "10.0.3.7");
    world.bind(bind);
    // What was the broadcast address is one like the others now.
    let bind = world.add("d", "10.0.0.255");
    world.bind(bind);
}

/// Promise: what cannot be is refused: a CIDR beside the old one or over another vSwitch's, another family, an unknown name.
#[test]
fn what_cannot_be() {
    let mut world = world();
    world.vswitch(create_vswitch("vsw-2", subnet("10.0.1.0/24", None), None));
    let unknown = SetVSwitch {
        name: name("vsw-9", VSwitchName::new),
        ..set("10.0.0.0/24", &[])
    };
    let families = SetVSwitch {
        ipv6: subnet("fd00::/64", None),
        ..set("10.0.0.0/24", &[])
    };
    for (wrong, words) in [
        (
            set("10.9.0.0/24", &[]),
            "neither holds 10.0.0.0/24 nor lies in it",
        ),
        (set("10.0.0.0/23", &[]), "vsw-2"),
        (
            set("10.0.0.0/24", &[("10.0.0.0", "10.0.0.255")]),
            "no address left",
        ),
        (families, "keeps its families"),
        (unknown, "vSwitch vsw-9 does not exist"),
    ] {
        let said = world.refused(Command::SetVSwitch(wrong)).to_string();
        assert!(said.contains(words), "{said}");
    }
}
