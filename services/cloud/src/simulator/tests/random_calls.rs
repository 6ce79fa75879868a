use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// One random call: which action, of which ENI, which number.
type Step = (u8, usize, u8);

fn request(cloud: &Simulator, (which, eni, number): Step) -> Request {
    let ids: Vec<String> = cloud.enis().map(|eni| eni.id.clone()).collect();
    let id = ids[eni % ids.len()].as_str();
    let instance = ["i-g7", "i-u1", "i-g6"][usize::from(number) % 3];
    let address = format!("10.{}.0.{}", 1 + number % 3, number % 16);
    let trunk = cloud
        .enis()
        .find(|eni| eni.kind == crate::eni::EniKind::Trunk)
        .map_or("", |eni| eni.id.as_str());
    let count = (number % 4).to_string();
    let kind = if number % 5 == 0 {
        "Trunk"
    } else {
        "Secondary"
    };
    let vswitch = ["vsw-i", "vsw-j", "vsw-small"][usize::from(number) % 3];
    let eni = ("NetworkInterfaceId", id);
    match which % 9 {
        0 => call(
            "CreateNetworkInterface",
            &[
                ("VSwitchId", vswitch),
                ("SecurityGroupId", "sg-built-in"),
                ("InstanceType", kind),
                ("SecondaryPrivateIpAddressCount", &count),
            ],
        ),
        1 => call("AttachNetworkInterface", &[eni, ("InstanceId", instance)]),
        2 => call(
            "AttachNetworkInterface",
            &[
                eni,
                ("InstanceId", instance),
                ("TrunkNetworkInstanceId", trunk),
            ],
        ),
        3 => call("DetachNetworkInterface", &[eni]),
        4 => call("DeleteNetworkInterface", &[eni]),
        5 => call(
            "AssignPrivateIpAddresses",
            &[eni, ("PrivateIpAddress.1", &address)],
        ),
        6 => call(
            "AssignPrivateIpAddresses",
            &[eni, ("SecondaryPrivateIpAddressCount", &count)],
        ),
        7 => call(
            "UnassignPrivateIpAddresses",
            &[eni, ("PrivateIpAddress.1", &address)],
        ),
        _ => call("AssignIpv6Addresses", &[eni, ("Ipv6AddressCount", &count)]),
    }
}

fn troubled(seed: u64) -> Simulator {
    let mut setup = Setup::built_in();
    let chances = Chances {
        error_after: 50,
        lost_before: 50,
        partial: 100,
        ..Default::default()
    };
    setup.faults.chances.insert("*".into(), chances);
    setup.faults.foreign_grab = 100;
    setup.faults.foreign_hold_ms = 4000;
    Simulator::new(setup, seed)
}

/// Who has which address, by the ledger alone: nothing may be taken that somebody has.
fn replay(ledger: &Ledger) -> BTreeMap<(String, IpAddr), Option<String>> {
    let mut held = BTreeMap::new();
    for effect in &ledger.effects {
        match &effect.what {
            ledger::What::Taken {
                vswitch,
                address,
                eni,
            } => {
                let before = held.insert((vswitch.clone(), *address), eni.clone());
                assert_eq!(before, None, "{address} was taken twice");
            }
            ledger::What::Freed { vswitch, address } => {
                assert!(
                    held.remove(&(vswitch.clone(), *address)).is_some(),
                    "{address} was free"
                );
            }
            ledger::What::Eni { .. } => {}
        }
    }
    held
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Promise: whatever is called, the audit finds nothing, and the ledger told alone gives exactly the addresses that ENIs have.
    #[test]
    fn random_calls_break_nothing(steps in prop::collection::vec(any::<Step>(), 1..120), seed: u64) {
        let mut cloud = troubled(seed);
        for (turn, step) in steps.into_iter().enumerate() {
            let request = request(&cloud, step);
            cloud.handle(turn as u64 * 700, &request);
            prop_assert_eq!(cloud.check(), Vec::<String>::new());
        }
        let mut held = replay(cloud.ledger());
        held.retain(|_, eni| eni.is_some());
        let is: BTreeMap<_, _> = cloud.enis().flat_map(|eni| {
            eni.addresses().into_iter().map(|address| ((eni.vswitch.clone(), address), Some(eni.id.clone())))
        }).collect();
        prop_assert_eq!(held, is);
    }

    /// Promise: the same seed and calls give the same answers, byte for byte.
    #[test]
    fn a_seed_is_a_run(steps in prop::collection::vec(any::<Step>(), 1..40), seed: u64) {
        let run = || {
            let mut cloud = troubled(seed);
            let mut said = String::new();
            for (turn, step) in steps.iter().enumerate() {
                let request = request(&cloud, *step);
                let answer = cloud.handle(turn as u64 * 700, &request);
                said.push_str(&format!("{} {} {}\n", answer.status, answer.lost, answer.body));
            }
            said
        };
        prop_assert_eq!(run(), run());
    }
}

/// Promise: the control: another seed gives other answers.
#[test]
fn another_seed_is_another_run() {
    let first = |seed| {
        Simulator::new(Setup::built_in(), seed)
            .enis()
            .map(|eni| eni.primary)
            .collect::<Vec<Ipv4Addr>>()
    };
    assert_ne!(first(1), first(2));
}
