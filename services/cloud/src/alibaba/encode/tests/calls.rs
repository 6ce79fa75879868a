//! The calls of which `tests/wire` holds the SDK's words.

use crate::call::*;
use crate::eni::{EniKind, EniStatus};
use crate::id::*;
use crate::token::ClientToken;
use std::net::Ipv4Addr;

macro_rules! golden {
    ($($name:literal => $call:expr),+ $(,)?) => {
        vec![$(($name, include_str!(concat!("../../../../tests/wire/", $name, ".txt")), $call)),+]
    };
}

/// (file, what the SDK writes, our call)
pub fn called() -> Vec<(&'static str, &'static str, Call)> {
    let mut all = changes();
    all.extend(looks());
    all
}

fn changes() -> Vec<(&'static str, &'static str, Call)> {
    golden! {
        "create-trunk" => Call::CreateNetworkInterface(create()),
        "create-secondary" => Call::CreateNetworkInterface(bare()),
        "attach" => Call::AttachNetworkInterface(attachment(false)),
        "attach-member" => Call::AttachNetworkInterface(attachment(true)),
        "detach" => Call::DetachNetworkInterface(attachment(false)),
        "detach-member" => Call::DetachNetworkInterface(attachment(true)),
        "delete" => Call::DeleteNetworkInterface { eni: eni(2) },
        "assign4" => assign4(2),
        "unassign4" => Call::UnassignPrivateIpAddresses { eni: eni(2), addresses: addresses4(2) },
        "assign6" => Call::AssignIpv6Addresses {
            eni: eni(2),
            addresses: vec!["2408:4005::8".parse().unwrap()],
            token: token(5),
        },
        "unassign6" => Call::UnassignIpv6Addresses {
            eni: eni(2),
            addresses: vec!["2408:4005::8".parse().unwrap()],
        },
    }
}

fn looks() -> Vec<(&'static str, &'static str, Call)> {
    let types = ["ecs.g7.4xlarge", "ecs.c6.large"];
    golden! {
        "describe-enis" => Call::DescribeNetworkInterfaces(all_filters()),
        "describe-enis-by-id" => Call::DescribeNetworkInterfaces(DescribeNetworkInterfaces {
            enis: (1..12).map(eni).collect(),
            ..Default::default()
        }),
        "describe-eni" => Call::DescribeNetworkInterfaceAttribute { eni: eni(2) },
        "instance-types" => Call::DescribeInstanceTypes {
            types: types.into_iter().filter_map(InstanceTypeName::new).collect(),
            page: None,
        },
        "instance-types-page" => Call::DescribeInstanceTypes { types: vec![], page: Some("t2".to_owned()) },
        "instances" => Call::DescribeInstances {
            instances: ["i-1", "i-2"].into_iter().filter_map(InstanceId::new).collect(),
        },
        "security-groups" => Call::DescribeSecurityGroups {
            groups: groups(2),
            vpc: VpcId::new("vpc-1"),
            page: Some("t2".to_owned()),
        },
        "account-attributes" => Call::DescribeAccountAttributes,
        "vswitches" => Call::DescribeVSwitches(DescribeVSwitches {
            vswitch: CloudVSwitchId::new("vsw-1"),
            vpc: VpcId::new("vpc-1"),
            zone: ZoneId::new("cn-hangzhou-i"),
            page: 3,
        }),
        "vswitches-first" => Call::DescribeVSwitches(DescribeVSwitches::default()),
    }
}

/// A trunk with everything.
pub fn create() -> CreateNetworkInterface {
    let tags = [("berth/cluster", "5f0c"), ("berth/job", "17 2*~")];
    CreateNetworkInterface {
        kind: EniKind::Trunk,
        security_groups: groups(2),
        resource_group: ResourceGroupId::new("rg-1"),
        secondary: addresses4(2),
        ipv6: vec![
            "2408:4005::8".parse().unwrap(),
            "2408:4005::9".parse().unwrap(),
        ],
        delete_on_release: true,
        description: "Berth: node 17, job 2".to_owned(),
        tags: tags.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        token: token(2),
        ..bare()
    }
}

fn bare() -> CreateNetworkInterface {
    CreateNetworkInterface {
        vswitch: CloudVSwitchId::new("vsw-1").unwrap(),
        kind: EniKind::Secondary,
        security_groups: groups(1),
        resource_group: None,
        primary: Ipv4Addr::new(10, 0, 0, 7),
        secondary: vec![],
        ipv6: vec![],
        delete_on_release: false,
        description: String::new(),
        tags: Default::default(),
        token: token(3),
    }
}

fn attachment(member: bool) -> Attachment {
    Attachment {
        eni: eni(2),
        instance: InstanceId::new("i-1").unwrap(),
        trunk: member.then(|| eni(1)),
    }
}

/// So many addresses onto an ENI.
pub fn assign4(count: u8) -> Call {
    Call::AssignPrivateIpAddresses {
        eni: eni(2),
        addresses: addresses4(count),
        token: token(4),
    }
}

/// So many addresses from 10.0.0.8.
pub fn addresses4(count: u8) -> Vec<Ipv4Addr> {
    (0..count).map(|n| Ipv4Addr::new(10, 0, 0, 8 + n)).collect()
}

fn all_filters() -> DescribeNetworkInterfaces {
    let tags = [("berth/cluster", "5f0c"), ("berth/job", "")];
    DescribeNetworkInterfaces {
        enis: vec![],
        vpc: VpcId::new("vpc-1"),
        vswitch: CloudVSwitchId::new("vsw-1"),
        instance: InstanceId::new("i-1"),
        kind: Some(EniKind::Member),
        status: Some(EniStatus::InUse),
        tags: tags.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        page: Some("AAAA/b+c==".to_owned()),
    }
}

fn eni(n: u32) -> EniId {
    EniId::new(format!("eni-{n}")).unwrap()
}

fn groups(count: u32) -> Vec<SecurityGroupId> {
    (1..=count)
        .filter_map(|n| SecurityGroupId::new(format!("sg-{n}")))
        .collect()
}

fn token(step: u32) -> ClientToken {
    ClientToken::of_step("5f0c", 17, step, 0)
}
