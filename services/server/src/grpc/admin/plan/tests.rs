use super::*;

fn vswitch_of(name: &str, zone: &str, ipv4_cidr: &str) -> v1::PlannedVSwitch {
    v1::PlannedVSwitch {
        name: name.into(),
        zone: zone.into(),
        ipv4_cidr: ipv4_cidr.into(),
        ipv6_cidr: String::new(),
    }
}

fn pool_of(mode: &str, instance_type: &str) -> v1::PlannedNodePool {
    v1::PlannedNodePool {
        name: "main".into(),
        mode: mode.into(),
        instance_types: vec![instance_type.into()],
        ..Default::default()
    }
}

fn good() -> v1::ValidatePlanRequest {
    v1::ValidatePlanRequest {
        kubernetes_version: "1.31".into(),
        node_vswitches: vec![
            vswitch_of("nodes-a", "a", "10.1.0.0/24"),
            vswitch_of("nodes-b", "b", "10.1.1.0/24"),
            vswitch_of("nodes-c", "c", "10.1.2.0/24"),
        ],
        pod_vswitches: vec![
            vswitch_of("pods-a", "a", "10.2.0.0/24"),
            vswitch_of("pods-b", "b", "10.2.1.0/24"),
            vswitch_of("pods-c", "c", "10.2.2.0/24"),
        ],
        service_ipv4_cidr: "172.16.0.0/16".into(),
        pools: vec![pool_of("", "ecs.g7.4xlarge")],
        ..Default::default()
    }
}

fn findings(request: &v1::ValidatePlanRequest) -> Vec<v1::PlanFinding> {
    let findings = plan(request).expect("it can be read").findings();
    findings.iter().map(encode).collect()
}

/// Promise: every field of the request reaches the rule that is about it.
#[test]
fn every_field_reaches_its_rule() {
    assert_eq!(findings(&good()), []);
    type Spoil = fn(&mut v1::ValidatePlanRequest);
    let table: [(&str, &str, Spoil); 10] = [
        ("warning", "kubernetes_unknown", |it| {
            (it.dual_stack, it.kubernetes_version) = (true, String::new());
        }),
        ("refused", "host_bits", |it| {
            it.node_vswitches[0].ipv4_cidr = "10.1.0.1/24".into()
        }),
        ("warning", "zone_without_pods", |it| {
            it.pod_vswitches[2].zone = "d".into()
        }),
        ("refused", "pod_overlap", |it| {
            it.pod_vswitches[1].ipv4_cidr = "10.2.0.0/25".into()
        }),
        ("refused", "service_overlap", |it| {
            it.service_ipv4_cidr = "10.1.0.0/16".into()
        }),
        ("refused", "service_ipv6_without_dual_stack", |it| {
            it.service_ipv6_cidr = "fd00::/112".into()
        }),
        ("refused", "too_few_pods", |it| {
            it.pools[0] = pool_of("exclusive", "ecs.g7.large")
        }),
        ("warning", "rdma_unknown", |it| it.pools[0].rdma = true),
        ("refused", "exclusive_acceleration", |it| {
            it.pools[0] = pool_of("exclusive", "ecs.g7.4xlarge");
            it.pools[0].acceleration = true;
        }),
        ("warning", "exclusive_network_policy", |it| {
            it.pools[0] = pool_of("exclusive", "ecs.g7.4xlarge");
            it.pools[0].network_policy = true;
        }),
    ];
    for (severity, code, spoil) in table {
        let mut request = good();
        spoil(&mut request);
        let findings = findings(&request);
        let found = findings.iter().find(|finding| finding.code == code);
        let found = found.unwrap_or_else(|| panic!("{code} is not in {findings:?}"));
        assert_eq!(found.severity, severity, "{code}");
        assert!(!found.message.is_empty());
    }
}

/// Promise: what cannot be read, and what is too long, is refused by its field; what has just its most is not.
#[test]
fn what_cannot_be_read_is_refused() {
    type Spoil = fn(&mut v1::ValidatePlanRequest);
    let table: [(&str, &str, Spoil); 9] = [
        ("kubernetes_version", "\"new\" is not", |it| {
            it.kubernetes_version = "new".into()
        }),
        ("node_vswitches", "\"10.1.0.0\" is not a CIDR", |it| {
            it.node_vswitches[0].ipv4_cidr = "10.1.0.0".into();
        }),
        ("pod_vswitches", "empty", |it| {
            it.pod_vswitches[0].name.clear()
        }),
        ("service_ipv6_cidr", "\"x\" is not a CIDR", |it| {
            it.service_ipv6_cidr = "x".into()
        }),
        ("pools.mode", "\"alone\" is none of", |it| {
            it.pools[0].mode = "alone".into()
        }),
        ("pools.name", "empty", |it| it.pools[0].name.clear()),
        ("pools.instance_types", "empty", |it| {
            it.pools[0].instance_types[0].clear()
        }),
        ("pools.instance_types", "17 entries (at most 16)", |it| {
            it.pools[0].instance_types = vec!["ecs.g7.4xlarge".into(); 17];
        }),
        ("node_vswitches", "65 entries (at most 64)", |it| {
            it.node_vswitches = vec![vswitch_of("nodes", "a", ""); 65];
        }),
    ];
    for (field, words, spoil) in table {
        let mut request = good();
        spoil(&mut request);
        let refusal = plan(&request).expect_err(field).to_string();
        assert!(
            refusal.starts_with(&format!("{field}: ")) && refusal.contains(words),
            "{refusal}"
        );
    }
    let mut most = good();
    most.node_vswitches = vec![vswitch_of("nodes", "a", ""); 64];
    most.pools = vec![pool_of("", "ecs.g7.4xlarge"); 32];
    most.pools[0].instance_types = vec!["ecs.g7.4xlarge".into(); 16];
    plan(&most).expect("it can be read");
    most.pools.push(pool_of("", "ecs.g7.4xlarge"));
    let refusal = plan(&most).expect_err("too many").to_string();
    assert!(refusal.contains("33 entries (at most 32)"), "{refusal}");
}
