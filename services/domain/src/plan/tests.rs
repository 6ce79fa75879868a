mod pools;

use super::*;

fn cidr(text: &str) -> Option<IpNet> {
    Some(text.parse().expect("a CIDR"))
}

fn vswitch(name: &str, zone: &str, ipv4: &str) -> PlannedVSwitch {
    PlannedVSwitch {
        name: VSwitchName::new(name).expect("a name"),
        zone: Zone::new(zone).expect("a zone"),
        ipv4: cidr(ipv4),
        ipv6: None,
    }
}

fn pool(mode: NodeMode, types: &[&str]) -> NodePool {
    let name = |text: &&str| InstanceType::new(text).expect("a type");
    NodePool {
        name: NodePoolName::new("main").expect("a name"),
        mode,
        rdma: false,
        acceleration: false,
        network_policy: false,
        instance_types: types.iter().map(name).collect(),
    }
}

/// Three zones, nodes and pods apart, nothing to be found.
fn good() -> Plan {
    let zones = ["a", "b", "c"].into_iter().enumerate();
    let all = |second: u8| {
        let one = |(at, zone): (usize, &str)| {
            vswitch(
                &format!("{second}-{zone}"),
                zone,
                &format!("10.{second}.{at}.0/24"),
            )
        };
        zones.clone().map(one).collect()
    };
    Plan {
        kubernetes: "1.31".parse().ok(),
        node_vswitches: all(1),
        pod_vswitches: all(2),
        service_ipv4: cidr("172.16.0.0/16"),
        pools: vec![pool(NodeMode::Shared, &["ecs.g7.4xlarge"])],
        ..Plan::default()
    }
}

/// The same with dual stack.
fn dual() -> Plan {
    let mut plan = Plan {
        stack: Stack::Dual,
        service_ipv6: cidr("fd00:ffff::/112"),
        ..good()
    };
    for (at, vswitch) in plan.pod_vswitches.iter_mut().enumerate() {
        vswitch.ipv6 = cidr(&format!("fd00:2:{at}::/64"));
    }
    plan
}

fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.findings().iter().map(Finding::code).collect()
}

/// The only finding of a good plan that was spoilt, with its words.
fn only(mut plan: Plan, spoil: impl FnOnce(&mut Plan)) -> (Severity, &'static str, String) {
    assert_eq!(plan.findings(), [], "it was good before");
    spoil(&mut plan);
    let findings = plan.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = &findings[0];
    (finding.severity(), finding.code(), finding.to_string())
}

fn refused(plan: Plan, code: &str, words: &[&str], spoil: impl FnOnce(&mut Plan)) {
    check(Severity::Refused, only(plan, spoil), code, words);
}

fn warned(plan: Plan, code: &str, words: &[&str], spoil: impl FnOnce(&mut Plan)) {
    check(Severity::Warning, only(plan, spoil), code, words);
}

fn check(severity: Severity, seen: (Severity, &str, String), code: &str, words: &[&str]) {
    assert_eq!((seen.0, seen.1), (severity, code), "{}", seen.2);
    for word in words {
        assert!(seen.2.contains(word), "{word} is not in {}", seen.2);
    }
}

/// Promise: a good plan has no finding, with one family and with both.
#[test]
fn a_good_plan_has_no_finding() {
    assert_eq!(good().findings(), []);
    assert_eq!(dual().findings(), []);
}

/// Promise: a Service CIDR overlaps neither a node's nor a pod's, larger or smaller; the neighbour of both is allowed.
#[test]
fn services_overlap_nobody() {
    let words = ["10.1.0.0/24", "1-a", "node"];
    for service in ["10.1.0.0/24", "10.1.0.128/25", "10.1.0.0/25"] {
        refused(
            good(),
            "service_overlap",
            &[&words[..], &[service]].concat(),
            |plan| {
                plan.service_ipv4 = cidr(service);
            },
        );
    }
    let words = ["10.2.2.0/24", "10.2.2.0/23", "2-c", "pod"];
    refused(good(), "service_overlap", &words, |plan| {
        plan.service_ipv4 = cidr("10.2.2.0/23");
    });
    let words = ["fd00:2:1::/64", "fd00:2:1::/112", "2-b"];
    refused(dual(), "service_overlap", &words, |plan| {
        plan.service_ipv6 = cidr("fd00:2:1::/112");
    });
    for neighbour in ["10.0.255.0/24", "10.1.3.0/24", "10.2.3.0/24"] {
        let service_ipv4 = cidr(neighbour);
        let plan = Plan {
            service_ipv4,
            ..good()
        };
        assert_eq!(plan.findings(), [], "{neighbour}");
    }
}

/// Promise: every overlap is named, not the first alone.
#[test]
fn every_overlap_is_named() {
    let service_ipv4 = cidr("10.0.0.0/8");
    let plan = Plan {
        service_ipv4,
        ..good()
    };
    assert_eq!(codes(&plan), ["service_overlap"; 6]);
}

/// Promise: a pod vSwitch may overlap a node's, or be it; two pod vSwitches may not overlap, of either family.
#[test]
fn pods_may_overlap_nodes() {
    let plan = Plan {
        pod_vswitches: good().node_vswitches,
        ..good()
    };
    assert_eq!(plan.findings(), []);
    let words = [
        "10.2.0.0/24 of pod vSwitch 2-a",
        "10.2.0.64/26 of pod vSwitch 2-c",
    ];
    refused(good(), "pod_overlap", &words, |plan| {
        plan.pod_vswitches[2].ipv4 = cidr("10.2.0.64/26");
    });
    refused(
        dual(),
        "pod_overlap",
        &["fd00:2::/64", "fd00:2::/80"],
        |plan| {
            plan.pod_vswitches[1].ipv6 = cidr("fd00:2::/80");
        },
    );
}

/// Promise: host bits are refused wherever they stand, with the subnet that was meant.
#[test]
fn host_bits_are_refused() {
    refused(
        good(),
        "host_bits",
        &["10.1.0.7/24", "10.1.0.0/24?", "1-a"],
        |plan| {
            plan.node_vswitches[0].ipv4 = cidr("10.1.0.7/24");
        },
    );
    refused(
        good(),
        "host_bits",
        &["172.16.0.1/16", "172.16.0.0/16?", "Services"],
        |plan| {
            plan.service_ipv4 = cidr("172.16.0.1/16");
        },
    );
    refused(
        dual(),
        "host_bits",
        &["fd00:2::1/64", "fd00:2::/64?", "2-a"],
        |plan| {
            plan.pod_vswitches[0].ipv6 = cidr("fd00:2::1/64");
        },
    );
}

/// Promise: a CIDR stands in the field of its family.
#[test]
fn a_cidr_stands_in_its_familys_field() {
    let words = [
        "fd00:ffff::/112",
        "is ipv6, and ipv4 is expected",
        "Services",
    ];
    refused(good(), "wrong_family", &words, |plan| {
        plan.service_ipv4 = cidr("fd00:ffff::/112");
    });
    refused(
        good(),
        "wrong_family",
        &["10.9.0.0/24", "node vSwitch 1-b"],
        |plan| {
            plan.node_vswitches[1].ipv6 = cidr("10.9.0.0/24");
        },
    );
}

/// Promise: nodes and pods have vSwitches with IPv4; pods of dual stack have IPv6 too, nodes need not.
#[test]
fn what_is_missing_is_refused() {
    refused(
        good(),
        "node_vswitch_missing",
        &["0 node vSwitches", "1"],
        |plan| {
            plan.node_vswitches.clear();
        },
    );
    refused(
        good(),
        "pod_vswitch_missing",
        &["0 pod vSwitches", "1"],
        |plan| {
            plan.pod_vswitches.clear();
        },
    );
    refused(good(), "ipv4_cidr_missing", &["node vSwitch 1-c"], |plan| {
        plan.node_vswitches[2].ipv4 = None;
    });
    refused(dual(), "ipv6_cidr_missing", &["2-a"], |plan| {
        plan.pod_vswitches[0].ipv6 = None;
    });
    assert!(dual().node_vswitches.iter().all(|one| one.ipv6.is_none()));
}

/// Promise: dual stack needs Kubernetes 1.22, which is enough; without dual stack the version does not matter.
#[test]
fn dual_stack_needs_a_version() {
    refused(dual(), "kubernetes_too_old", &["1.21", "1.22"], |plan| {
        plan.kubernetes = "1.21.14".parse().ok();
    });
    warned(dual(), "kubernetes_unknown", &["1.22"], |plan| {
        plan.kubernetes = None
    });
    for (plan, version) in [(dual(), "1.22"), (good(), "1.9"), (good(), "?")] {
        let kubernetes = version.parse().ok();
        assert_eq!(Plan { kubernetes, ..plan }.findings(), [], "{version}");
    }
}

/// Promise: an IPv6 Service CIDR needs dual stack; dual stack without one, and no Service CIDR at all, are warned about.
#[test]
fn services_have_the_clusters_families() {
    refused(
        good(),
        "service_ipv6_without_dual_stack",
        &["fd00:ffff::/112"],
        |plan| {
            plan.service_ipv6 = cidr("fd00:ffff::/112");
        },
    );
    warned(dual(), "service_ipv6_missing", &["IPv4"], |plan| {
        plan.service_ipv6 = None
    });
    warned(good(), "service_ipv4_missing", &["not checked"], |plan| {
        plan.service_ipv4 = None
    });
}

/// Promise: fewer than three zones are warned about, whatever the number of vSwitches.
#[test]
fn few_zones_are_warned_about() {
    warned(good(), "few_zones", &["2 zones", "3"], |plan| {
        plan.node_vswitches[2].zone = Zone::new("b").expect("a zone");
    });
    warned(good(), "few_zones", &["1 zone,"], |plan| {
        plan.node_vswitches.truncate(1)
    });
}

/// Promise: a zone with nodes and without a pod vSwitch is named once; one with pods alone is nobody's trouble.
#[test]
fn a_zone_without_pods_is_warned_about() {
    warned(good(), "zone_without_pods", &["zone c", "1-c"], |plan| {
        plan.pod_vswitches.pop();
        plan.node_vswitches
            .push(vswitch("1-c2", "c", "10.3.0.0/24"));
    });
    let mut plan = good();
    plan.pod_vswitches.push(vswitch("2-d", "d", "10.3.0.0/24"));
    assert_eq!(plan.findings(), []);
}

/// Promise: an empty plan is refused, and is no panic.
#[test]
fn an_empty_plan_is_refused() {
    let expected = [
        "node_vswitch_missing",
        "pod_vswitch_missing",
        "service_ipv4_missing",
    ];
    assert_eq!(codes(&Plan::default()), expected);
}
