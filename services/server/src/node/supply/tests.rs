use super::scene::{EniScene, Group, Scene};
use super::{Beginning, Intent, Step, plan};
use super::{Supply, yielded};
use crate::failure::Failure;
use berth_domain::id::*;
use berth_domain::row::{Eni, EniKind, EniState, VSwitchChoice};
use std::net::IpAddr;
use std::sync::Arc;

const H: VSwitchId = VSwitchId(1);
const I: VSwitchId = VSwitchId(2);

/// A node with seven slots of thirty, and two vSwitches.
fn scene(needs: Vec<Group>) -> Scene {
    Scene {
        eni_slots: 7,
        sets_per_eni: 30,
        needs,
        vswitches: vec![H, I],
        free: [(H, 100), (I, 200)].into(),
        ..Scene::default()
    }
}

fn pods(sets: u32) -> Group {
    Group {
        vswitches: vec![H, I],
        sets,
        urgent: true,
    }
}

fn eni(number: u64, load: u32, idle: u32) -> EniScene {
    let address = |n: u32| IpAddr::from([10, 0, number as u8, n as u8]);
    EniScene {
        row: Arc::new(Eni {
            number: EniNumber(number),
            id: Some(EniId::new(&format!("eni-{number}")).expect("a name")),
            mac: None,
            node: NodeId(9),
            vswitch: H,
            kind: EniKind::Secondary,
            security_groups: Vec::new(),
            primary: address(0),
            state: EniState::InUse,
        }),
        load,
        coming: 0,
        idle,
        warm: (0..idle).map(address).collect(),
        removable: (1..idle).map(address).collect(),
        is_busy: false,
        is_closed: false,
        is_left_alone: false,
        is_unused: load == idle,
        is_old: true,
    }
}

/// What is brought, as (the ENI, or 0 for a new one; vSwitch; sets; scarce).
fn brought(steps: &[Step]) -> Vec<(u64, u64, u32, bool)> {
    let one = |step: &Step| match step {
        Step::Bring {
            intent,
            sets,
            scarce,
            ..
        } => match intent {
            Intent::Create { vswitch, .. } => (0, vswitch.0, *sets, *scarce),
            Intent::Assign { vswitch, eni } => (eni.0, vswitch.0, *sets, *scarce),
        },
        other => panic!("{other:?}"),
    };
    steps.iter().map(one).collect()
}

/// Promise: a hundred pods on an empty node take four ENIs, no more, each made with as many addresses as one call takes.
#[test]
fn a_hundred_pods_take_four_enis() {
    let steps = plan(&scene(vec![pods(100)]));
    assert_eq!(brought(&steps), [(0, 1, 10, false); 4]);
    let few = plan(&scene(vec![pods(3)]));
    assert_eq!(brought(&few), [(0, 1, 3, false)]);
}

/// Promise: what is under way is not begun again, and the rest is assigned once an ENI is there, ten at a time.
#[test]
fn what_is_under_way_counts() {
    let mut scene = scene(vec![pods(100)]);
    for number in 1..=4 {
        let mut making = eni(number, 10, 0);
        Arc::make_mut(&mut making.row).state = EniState::Planned;
        (making.coming, making.is_busy) = (10, true);
        scene.enis.push(making);
    }
    assert_eq!(plan(&scene), []);
    for made in &mut scene.enis {
        Arc::make_mut(&mut made.row).state = EniState::InUse;
        (made.coming, made.is_busy, made.idle) = (0, false, 0);
    }
    // The forty that have come are bound; sixty wait.
    scene.needs = vec![pods(60)];
    let steps = plan(&scene);
    assert_eq!(
        brought(&steps),
        [
            (1, 1, 10, false),
            (2, 1, 10, false),
            (3, 1, 10, false),
            (4, 1, 10, false)
        ]
    );
    scene.beginning = vec![Beginning::Bring {
        intent: Intent::Assign {
            vswitch: H,
            eni: EniNumber(1),
        },
        sets: 10,
        scarce: false,
    }];
    assert!(brought(&plan(&scene)).iter().all(|(eni, ..)| *eni != 1));
}

/// Promise: a warm address is nobody's demand: with enough of them nothing is begun.
#[test]
fn warm_ones_are_enough() {
    let mut scene = scene(vec![pods(2)]);
    scene.enis.push(eni(1, 5, 2));
    assert_eq!(plan(&scene), []);
}

/// Promise: a full vSwitch blocks only itself; with all of them dry pods may have others' warm ones, and warmth waits.
#[test]
fn a_full_vswitch_blocks_only_itself() {
    let mut scene = scene(vec![pods(3)]);
    scene.dry.insert(H);
    assert_eq!(brought(&plan(&scene)), [(0, 2, 3, false)]);
    scene.dry.insert(I);
    assert_eq!(brought(&plan(&scene)), [(0, 1, 3, true)]);
    scene.hopeless.extend([H, I]);
    assert_eq!(plan(&scene), []);
    scene.hopeless.clear();
    scene.needs[0].urgent = false;
    assert_eq!(plan(&scene), []);
}

/// Promise: most-free counts what is under way by the same plan.
#[test]
fn most_free_counts_what_is_under_way() {
    let mut scene = scene(vec![pods(100)]);
    scene.choice = VSwitchChoice::MostFree;
    scene.free = [(H, 100), (I, 115)].into();
    let chosen: Vec<u64> = brought(&plan(&scene)).iter().map(|one| one.1).collect();
    assert_eq!(chosen, [2, 2, 1, 2]);
}

/// Promise: no demand that cannot be met is counted: with all slots and ENIs full nothing is begun.
#[test]
fn what_cannot_be_is_not_tried() {
    let mut scene = scene(vec![pods(50)]);
    scene.enis = (1..=7).map(|number| eni(number, 30, 0)).collect();
    assert_eq!(plan(&scene), []);
    scene.enis.truncate(6);
    assert_eq!(brought(&plan(&scene)), [(0, 1, 10, false)]);
    scene.no_more_enis = true;
    assert_eq!(plan(&scene), []);
}

/// Promise: the first ENI of a trunk pool is the trunk, and only that one.
#[test]
fn one_trunk() {
    let mut scene = scene(vec![pods(100)]);
    scene.wants_trunk = true;
    let kinds = plan(&scene).into_iter().map(|step| match step {
        Step::Bring {
            intent: Intent::Create { kind, .. },
            ..
        } => kind,
        other => panic!("{other:?}"),
    });
    use EniKind::{Secondary, Trunk};
    let kinds: Vec<EniKind> = kinds.collect();
    assert_eq!(kinds, [Trunk, Secondary, Secondary, Secondary]);
}

/// Promise: in exclusive mode each pod has an ENI, a few at a time.
#[test]
fn an_eni_for_each_pod() {
    let mut scene = scene(vec![pods(6)]);
    scene.sets_per_eni = 1;
    assert_eq!(brought(&plan(&scene)), [(0, 1, 1, false); 4]);
}

/// Promise: too much goes back from the emptiest ENI, as a whole if nobody uses it; never a young one, never the trunk.
#[test]
fn the_emptiest_goes_first() {
    let mut scene = scene(Vec::new());
    scene.enis = vec![eni(1, 20, 8), eni(2, 4, 4)];
    assert_eq!(plan(&scene), []);
    scene.surplus = 7;
    assert_eq!(plan(&scene), [Step::Delete { eni: EniNumber(2) }]);
    scene.enis[1].is_old = false;
    let taken = |steps: Vec<Step>| match steps.as_slice() {
        [Step::TakeOff { eni, addresses }] => (eni.0, addresses.clone()),
        other => panic!("{other:?}"),
    };
    let (from, addresses) = taken(plan(&scene));
    assert_eq!((from, addresses.len()), (2, 3), "its primary address stays");
    scene.enis[1].is_old = true;
    Arc::make_mut(&mut scene.enis[1].row).kind = EniKind::Trunk;
    assert_eq!(taken(plan(&scene)).0, 2);
    scene.keeps_all = true;
    assert_eq!(plan(&scene), []);
}

/// Promise: what is closed gets nothing new, and goes as soon as nobody uses it, without a surplus.
#[test]
fn what_is_closed_goes() {
    let mut scene = scene(vec![pods(1)]);
    let mut closed = eni(1, 3, 3);
    closed.is_closed = true;
    scene.enis.push(closed);
    assert_eq!(brought(&plan(&scene)), [(0, 1, 1, false)]);
    scene.needs.clear();
    assert_eq!(plan(&scene), [Step::Delete { eni: EniNumber(1) }]);
    scene.enis[0].is_unused = false;
    assert!(matches!(&plan(&scene)[..], [Step::TakeOff { .. }]));
    scene.beginning = vec![Beginning::Go { eni: EniNumber(1) }];
    assert_eq!(plan(&scene), []);
}

/// Promise: of an ENI that has lost its tags nothing is changed, and nothing comes onto it.
#[test]
fn what_is_left_alone_stays() {
    let mut scene = scene(vec![pods(1)]);
    let mut alone = eni(1, 3, 3);
    (alone.is_closed, alone.is_left_alone) = (true, true);
    scene.enis.push(alone);
    assert_eq!(brought(&plan(&scene)), [(0, 1, 1, false)]);
    scene.needs.clear();
    scene.surplus = 3;
    assert_eq!(plan(&scene), []);
    assert_eq!(yielded(&scene, H, 3), []);
}

/// Promise: a vSwitch that had nothing is asked again after five seconds, or at once after it gave something.
#[test]
fn a_dry_vswitch_rests() {
    let mut supply = Supply::default();
    let why = || Failure::Busy {
        what: "a test",
        retry_after_ms: 1,
    };
    supply.dried(H, false, why(), 1_000);
    assert_eq!(supply.is_dry(H, 5_999), (true, false));
    assert!(supply.why_dry(&[I, H], 5_999).is_some());
    assert_eq!(supply.is_dry(H, 6_000), (false, false));
    supply.dried(H, true, why(), 6_000);
    assert_eq!(supply.is_dry(H, 6_001), (true, true));
    supply.flows(H);
    assert_eq!(supply.is_dry(H, 6_001), (false, false));
}
