use super::*;

/// Promise: an ENI goes its way through all states, each at its time, and is gone at the end.
#[test]
fn an_eni_goes_its_way() {
    let mut cloud = built_in();
    let eni = create(&mut cloud, &[]);
    let status = |cloud: &mut Simulator, now_ms| {
        let body = done(
            cloud,
            now_ms,
            "DescribeNetworkInterfaceAttribute",
            &[("NetworkInterfaceId", &eni)],
        );
        body["Status"].as_str().expect("a state").to_owned()
    };
    assert_eq!(status(&mut cloud, 0), "Available");
    done(&mut cloud, 0, "AttachNetworkInterface", &on(&eni, "i-g7"));
    assert_eq!(status(&mut cloud, 2999), "Attaching");
    assert_eq!(status(&mut cloud, 3000), "InUse");
    let id = [("NetworkInterfaceId", eni.as_str())];
    assert_eq!(
        code(&mut cloud, 3000, "DeleteNetworkInterface", &id),
        "InvalidOperation.InvalidEniState"
    );
    done(
        &mut cloud,
        3000,
        "DetachNetworkInterface",
        &on(&eni, "i-g7"),
    );
    assert_eq!(status(&mut cloud, 5999), "Detaching");
    assert_eq!(status(&mut cloud, 6000), "Available");
    done(&mut cloud, 6000, "DeleteNetworkInterface", &id);
    assert_eq!(status(&mut cloud, 6999), "Deleting");
    assert_eq!(
        code(&mut cloud, 7000, "DeleteNetworkInterface", &id),
        "InvalidEniId.NotFound"
    );
}

/// Promise: an instance has no more ENIs than its type, those that come and go counted; a freed place is free.
#[test]
fn an_instance_has_its_types_enis() {
    let mut cloud = built_in();
    let enis: Vec<String> = (0..4).map(|_| create(&mut cloud, &[])).collect();
    for eni in &enis[..3] {
        done(&mut cloud, 0, "AttachNetworkInterface", &on(eni, "i-g7"));
    }
    let last = on(&enis[3], "i-g7");
    assert_eq!(
        code(&mut cloud, 0, "AttachNetworkInterface", &last),
        "EniPerInstanceLimitExceeded"
    );
    done(
        &mut cloud,
        3000,
        "DetachNetworkInterface",
        &on(&enis[0], "i-g7"),
    );
    assert_eq!(
        code(&mut cloud, 5999, "AttachNetworkInterface", &last),
        "EniPerInstanceLimitExceeded"
    );
    done(&mut cloud, 6000, "AttachNetworkInterface", &last);
}

/// Promise: members hang in a trunk of the instance with VLAN ids of their own, up to the type's number, and hold the trunk.
#[test]
fn members_are_in_trunks() {
    let mut cloud = built_in();
    let trunk = create(&mut cloud, &[("InstanceType", "Trunk")]);
    let members: Vec<String> = (0..4).map(|_| create(&mut cloud, &[])).collect();
    let member = |eni| {
        [
            ("NetworkInterfaceId", eni),
            ("InstanceId", "i-u1"),
            ("TrunkNetworkInstanceId", trunk.as_str()),
        ]
    };
    let early = member(&members[0]);
    assert_eq!(
        code(&mut cloud, 0, "AttachNetworkInterface", &early),
        "InvalidOperation.InvalidEniType"
    );
    done(&mut cloud, 0, "AttachNetworkInterface", &on(&trunk, "i-u1"));
    for eni in &members[..3] {
        done(&mut cloud, 3000, "AttachNetworkInterface", &member(eni));
    }
    let late = member(&members[3]);
    assert_eq!(
        code(&mut cloud, 3000, "AttachNetworkInterface", &late),
        "EniPerInstanceLimitExceeded"
    );
    let body = done(
        &mut cloud,
        6000,
        "DescribeNetworkInterfaces",
        &[("Type", "Member"), ("MaxResults", "10")],
    );
    let shown = body["NetworkInterfaceSets"]["NetworkInterfaceSet"]
        .as_array()
        .expect("a list");
    let mut vlans: Vec<u64> = shown
        .iter()
        .map(|eni| eni["Attachment"]["DeviceIndex"].as_u64().expect("a VLAN"))
        .collect();
    vlans.sort_unstable();
    assert_eq!(vlans, [1, 2, 3]);
    let off = on(&trunk, "i-u1");
    assert_eq!(
        code(&mut cloud, 6000, "DetachNetworkInterface", &off),
        "InvalidOperation.InvalidEniState"
    );
    let eni = create(
        &mut cloud,
        &[("InstanceType", "Trunk"), ("VSwitchId", "vsw-j")],
    );
    assert_eq!(
        code(
            &mut cloud,
            6000,
            "AttachNetworkInterface",
            &on(&eni, "i-g6")
        ),
        "InvalidInstanceType.NotSupported"
    );
}

/// Promise: addresses come by name or by count, once, within the ENI's room, and leave when they are there.
#[test]
fn addresses_come_and_go() {
    let mut cloud = built_in();
    let eni = create(
        &mut cloud,
        &[
            ("PrimaryIpAddress", "10.1.1.1"),
            ("PrivateIpAddress.1", "10.1.1.2"),
        ],
    );
    let other = create(&mut cloud, &[]);
    let assign = "AssignPrivateIpAddresses";
    fn name<'a>(eni: &'a str, address: &'a str) -> [(&'a str, &'a str); 2] {
        [("NetworkInterfaceId", eni), ("PrivateIpAddress.1", address)]
    }
    let body = done(&mut cloud, 0, assign, &name(&eni, "10.1.1.3"));
    assert_eq!(
        body["AssignedPrivateIpAddressesSet"]["PrivateIpSet"]["PrivateIpAddress"],
        json!(["10.1.1.3"])
    );
    assert_eq!(
        code(&mut cloud, 0, assign, &name(&other, "10.1.1.3")),
        "InvalidIp.IpAssigned"
    );
    for outside in ["10.1.0.0", "10.1.15.253", "10.1.15.255", "10.9.0.1"] {
        assert_eq!(
            code(&mut cloud, 0, assign, &name(&other, outside)),
            "InvalidIp.Address"
        );
    }
    let count = |count| {
        [
            ("NetworkInterfaceId", eni.as_str()),
            ("SecondaryPrivateIpAddressCount", count),
        ]
    };
    assert_eq!(
        code(&mut cloud, 0, assign, &count("8")),
        "InvalidOperation.Ipv4CountExceeded"
    );
    done(&mut cloud, 0, assign, &count("7"));
    let unassign = "UnassignPrivateIpAddresses";
    assert_eq!(
        code(&mut cloud, 0, unassign, &name(&eni, "10.1.1.1")),
        "InvalidIp.PrimaryIp"
    );
    done(&mut cloud, 0, unassign, &name(&eni, "10.1.1.3"));
    assert_eq!(
        code(&mut cloud, 0, unassign, &name(&eni, "10.1.1.3")),
        "InvalidIp.IpUnassigned"
    );
    done(&mut cloud, 0, assign, &name(&other, "10.1.1.3"));
    let holder = cloud.ledger().holder("vsw-i", [10, 1, 1, 3].into(), 0);
    assert_eq!(holder, Some(Some(other.as_str())));
}

/// Promise: IPv6 addresses keep the same rules, with the type's own number.
#[test]
fn ipv6_comes_and_goes() {
    let mut cloud = built_in();
    let eni = create(
        &mut cloud,
        &[("VSwitchId", "vsw-j"), ("Ipv6AddressCount", "1")],
    );
    done(&mut cloud, 0, "AttachNetworkInterface", &on(&eni, "i-g6"));
    let one = [
        ("NetworkInterfaceId", eni.as_str()),
        ("Ipv6Address.1", "2408:4005:300:2::77"),
    ];
    assert_eq!(
        code(&mut cloud, 3000, "AssignIpv6Addresses", &one),
        "InvalidOperation.Ipv6CountExceeded"
    );
    let eni = create(&mut cloud, &[]);
    let one = [
        ("NetworkInterfaceId", eni.as_str()),
        ("Ipv6Address.1", "2408:4005:300:1::77"),
    ];
    let body = done(&mut cloud, 3000, "AssignIpv6Addresses", &one);
    assert_eq!(
        body["Ipv6Sets"]["Ipv6Address"],
        json!(["2408:4005:300:1::77"])
    );
    done(&mut cloud, 3000, "UnassignIpv6Addresses", &one);
    assert_eq!(
        code(&mut cloud, 3000, "UnassignIpv6Addresses", &one),
        "InvalidIp.IpUnassigned"
    );
}

/// Promise: a vSwitch, an account, a security group and the quota of addresses are each full with their own code.
#[test]
fn what_is_full_says_so() {
    let mut cloud = built_in();
    let small = [
        ("VSwitchId", "vsw-small"),
        ("SecurityGroupId", "sg-built-in"),
        ("SecondaryPrivateIpAddressCount", "5"),
    ];
    done(&mut cloud, 0, "CreateNetworkInterface", &small);
    done(&mut cloud, 0, "CreateNetworkInterface", &small);
    let create = "CreateNetworkInterface";
    assert_eq!(
        code(&mut cloud, 0, create, &small),
        "InvalidVSwitchId.IpNotEnough"
    );
    let plain = [("VSwitchId", "vsw-i"), ("SecurityGroupId", "sg-built-in")];
    cloud.setup().limits.addresses_per_vswitch = 2;
    assert_eq!(
        code(&mut cloud, 0, create, &plain),
        "QuotaExceeded.PrivateIpAddress"
    );
    cloud.setup().limits = Default::default();
    cloud.setup().limits.addresses_per_security_group = 15;
    assert_eq!(
        code(&mut cloud, 0, create, &plain),
        "SecurityGroupInstanceLimitExceed"
    );
    cloud.setup().limits.enis = 2;
    assert_eq!(code(&mut cloud, 0, create, &plain), "MaxEniCountExceeded");
}

/// Promise: what is not of one zone and VPC, not there, primary, or not simulated is refused.
#[test]
fn what_does_not_fit_is_refused() {
    let mut cloud = built_in();
    let create_call = "CreateNetworkInterface";
    let with = |name, value| {
        [
            ("VSwitchId", "vsw-i"),
            ("SecurityGroupId", "sg-built-in"),
            (name, value),
        ]
    };
    assert_eq!(
        code(
            &mut cloud,
            0,
            create_call,
            &with("SecurityGroupId", "sg-elsewhere")
        ),
        "InvalidSecurityGroupId.NotInVpc"
    );
    assert_eq!(
        code(
            &mut cloud,
            0,
            create_call,
            &with("SecurityGroupId", "sg-none")
        ),
        "InvalidSecurityGroupId.NotFound"
    );
    assert_eq!(
        code(&mut cloud, 0, create_call, &with("VSwitchId", "vsw-none")),
        "InvalidVSwitchId.NotFound"
    );
    assert_eq!(
        code(&mut cloud, 0, create_call, &with("Ipv4PrefixCount", "1")),
        "InvalidParameter"
    );
    assert_eq!(
        code(&mut cloud, 0, create_call, &with("RegionId", "mars")),
        "InvalidRegionId.NotFound"
    );
    let eni = create(&mut cloud, &[]);
    let zone = code(&mut cloud, 0, "AttachNetworkInterface", &on(&eni, "i-g6"));
    assert_eq!(zone, "InvalidOperation.AvailabilityZoneMismatch");
    assert_eq!(
        code(&mut cloud, 0, "AttachNetworkInterface", &on(&eni, "i-none")),
        "InvalidEcsId.NotFound"
    );
    let primary = cloud
        .enis()
        .find(|eni| eni.instance.as_deref() == Some("i-g7"))
        .expect("there")
        .id
        .clone();
    let refused = code(
        &mut cloud,
        0,
        "DetachNetworkInterface",
        &on(&primary, "i-g7"),
    );
    assert_eq!(refused, "InvalidOperation.DetachPrimaryEniNotAllowed");
    assert!(cloud.delete_security_group("sg-built-in").is_err());
    assert!(cloud.delete_security_group("sg-elsewhere").is_ok());
    assert_eq!(
        code(&mut cloud, 0, "RunInstances", &[]),
        "InvalidAction.NotFound"
    );
}

/// Promise: a key may do what its rights name, and one that is unknown nothing.
#[test]
fn rights_are_kept() {
    let mut cloud = built_in();
    cloud.setup().keys[0].rights = Some(["DescribeInstances".to_owned()].into());
    done(&mut cloud, 0, "DescribeInstances", &[]);
    assert_eq!(
        code(&mut cloud, 0, "DescribeSecurityGroups", &[]),
        "Forbidden.RAM"
    );
    cloud.setup().keys.clear();
    assert_eq!(
        code(&mut cloud, 0, "DescribeInstances", &[]),
        "InvalidAccessKeyId.NotFound"
    );
}

/// Promise: pages together are the whole list, by token and by number; tags pick their ENIs.
#[test]
fn pages_are_the_whole() {
    let mut cloud = built_in();
    let all: std::collections::BTreeSet<String> = (0..25)
        .map(|_| create(&mut cloud, &[("Tag.1.Key", "job"), ("Tag.1.Value", "7")]))
        .collect();
    let tag = [("Tag.1.Key", "job"), ("Tag.1.Value", "7")];
    let ids = |body: &Value| -> Vec<String> {
        let list = body["NetworkInterfaceSets"]["NetworkInterfaceSet"]
            .as_array()
            .expect("a list");
        list.iter()
            .map(|eni| {
                eni["NetworkInterfaceId"]
                    .as_str()
                    .expect("an id")
                    .to_owned()
            })
            .collect()
    };
    let (mut next, mut seen) = (String::new(), std::collections::BTreeSet::new());
    loop {
        let page = [tag[0], tag[1], ("MaxResults", "10"), ("NextToken", &next)];
        let body = done(&mut cloud, 0, "DescribeNetworkInterfaces", &page);
        seen.extend(ids(&body));
        next = body["NextToken"].as_str().expect("a token").to_owned();
        if next.is_empty() {
            break;
        }
    }
    assert_eq!(seen, all);
    let page = [tag[0], tag[1], ("PageNumber", "3"), ("PageSize", "10")];
    let body = done(&mut cloud, 0, "DescribeNetworkInterfaces", &page);
    assert_eq!(
        (ids(&body).len(), body["TotalCount"].as_u64()),
        (5, Some(25))
    );
    let other = [tag[0], ("Tag.1.Value", "8")];
    assert_eq!(
        ids(&done(&mut cloud, 0, "DescribeNetworkInterfaces", &other)).len(),
        0
    );
    assert_eq!(cloud.leaked("job", "7").len(), 25);
    let wrong = [("MaxResults", "10"), ("NextToken", "what")];
    assert_eq!(
        code(&mut cloud, 0, "DescribeNetworkInterfaces", &wrong),
        "InvalidParameter"
    );
}
