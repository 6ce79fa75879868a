use super::*;

fn scripted(action: &str, call: u64, fault: Fault) -> Simulator {
    let mut setup = Setup::built_in();
    let action = action.to_owned();
    setup.faults.script.push(Scripted {
        action,
        call,
        fault,
    });
    Simulator::new(setup, 1)
}

/// Promise: a token makes one effect of many calls, also when the first answer was lost; other parameters are refused.
#[test]
fn a_token_takes_effect_once() {
    let parameters = [
        ("VSwitchId", "vsw-i"),
        ("SecurityGroupId", "sg-built-in"),
        ("ClientToken", "t-1"),
    ];
    let mut cloud = scripted("CreateNetworkInterface", 1, Fault::LostAfter);
    let request = call("CreateNetworkInterface", &parameters);
    let enis = cloud.enis().count();
    assert!(cloud.handle(0, &request).lost);
    let again = cloud.handle(0, &request);
    assert!(!again.lost && again.code().is_none());
    assert_eq!(cloud.enis().count(), enis + 1);
    let other = [
        parameters[0],
        parameters[1],
        parameters[2],
        ("Description", "other"),
    ];
    assert_eq!(
        code(&mut cloud, 0, "CreateNetworkInterface", &other),
        "IdempotentParameterMismatch"
    );
    // The control: without a token the same is done twice.
    done(&mut cloud, 0, "CreateNetworkInterface", &parameters[..2]);
    assert_eq!(cloud.enis().count(), enis + 2);
}

/// Promise: each fault does, or does not do, what it says.
#[test]
fn faults_do_what_they_say() {
    let rows = [
        (Fault::ErrorBefore, Some("InternalError"), 0, false),
        (Fault::ErrorAfter, Some("InternalError"), 4, false),
        (Fault::LostBefore, Some("InternalError"), 0, true),
        (Fault::LostAfter, None, 4, true),
        (Fault::Throttled, Some("Throttling.User"), 0, false),
        (Fault::Conflict, Some("Operation.Conflict"), 0, false),
        (Fault::Partial, None, 2, false),
    ];
    for (fault, code, assigned, lost) in rows {
        let mut cloud = scripted("AssignPrivateIpAddresses", 1, fault);
        let eni = create(&mut cloud, &[]);
        let parameters = [
            ("NetworkInterfaceId", eni.as_str()),
            ("SecondaryPrivateIpAddressCount", "4"),
        ];
        let answer = cloud.handle(0, &call("AssignPrivateIpAddresses", &parameters));
        let on_it = cloud
            .enis()
            .find(|other| other.id == eni)
            .expect("there")
            .secondary
            .len();
        assert_eq!(
            (answer.code(), on_it, answer.lost),
            (code, assigned, lost),
            "{fault:?}"
        );
    }
}

/// Promise: a minute's calls can be made at once, the next one only when the bucket has filled by one.
#[test]
fn calls_are_throttled() {
    let mut cloud = built_in();
    cloud
        .setup()
        .limits
        .calls_per_minute
        .insert("DescribeInstances".into(), 6);
    for _ in 0..6 {
        done(&mut cloud, 0, "DescribeInstances", &[]);
    }
    assert_eq!(
        code(&mut cloud, 9_999, "DescribeInstances", &[]),
        "Throttling.User"
    );
    done(&mut cloud, 10_000, "DescribeInstances", &[]);
    assert_eq!(
        code(&mut cloud, 10_000, "DescribeInstances", &[]),
        "Throttling.User"
    );
    assert_eq!(cloud.ledger().calls_of("DescribeInstances"), 9);
}

/// Promise: somebody else has an address that was given back, until its time is over.
#[test]
fn somebody_else_grabs() {
    let mut cloud = built_in();
    cloud.setup().faults.foreign_grab = 1000;
    cloud.setup().faults.foreign_hold_ms = 500;
    let eni = create(&mut cloud, &[("PrivateIpAddress.1", "10.1.1.2")]);
    let parameters = [
        ("NetworkInterfaceId", eni.as_str()),
        ("PrivateIpAddress.1", "10.1.1.2"),
    ];
    done(&mut cloud, 100, "UnassignPrivateIpAddresses", &parameters);
    assert_eq!(
        cloud.ledger().holder("vsw-i", [10, 1, 1, 2].into(), 100),
        Some(None)
    );
    assert_eq!(
        code(&mut cloud, 599, "AssignPrivateIpAddresses", &parameters),
        "InvalidIp.IpAssigned"
    );
    done(&mut cloud, 600, "AssignPrivateIpAddresses", &parameters);
}

/// Promise: a look may be behind, but not by more than is said.
#[test]
fn looks_are_behind() {
    let mut cloud = built_in();
    cloud.setup().faults.stale = 1000;
    cloud.setup().times.stale_ms = 50;
    let eni = create(&mut cloud, &[]);
    let look = [("NetworkInterfaceId", eni.as_str())];
    let one = "DescribeNetworkInterfaceAttribute";
    assert_eq!(code(&mut cloud, 49, one, &look), "InvalidEniId.NotFound");
    assert_eq!(done(&mut cloud, 50, one, &look)["Status"], "Available");
    done(&mut cloud, 50, "AttachNetworkInterface", &on(&eni, "i-g7"));
    assert_eq!(done(&mut cloud, 99, one, &look)["Status"], "Available");
    assert_eq!(done(&mut cloud, 100, one, &look)["Status"], "Attaching");
}

/// Promise: the audit finds an address that two ENIs have.
#[test]
fn the_audit_can_fail() {
    let mut cloud = built_in();
    let (one, two) = (create(&mut cloud, &[]), create(&mut cloud, &[]));
    let primary = cloud.world.enis[&one].primary;
    cloud.world.change(&two, |eni| eni.secondary.push(primary));
    assert!(!cloud.check().is_empty());
}
