use super::*;

fn refused<T>(decoded: Decoded<T>) -> String {
    match decoded {
        Ok(_) => panic!("it must be refused"),
        Err(refusal) => refusal.to_string(),
    }
}

fn key(container: &str, interface: &str) -> Option<v1::AttachmentKey> {
    Some(v1::AttachmentKey {
        cluster: "c".into(),
        network: "n".into(),
        container_id: container.into(),
        interface: interface.into(),
    })
}

/// Promise: a key beyond a limit, or with a character it may not have, is refused by field and limit.
#[test]
fn a_bad_key_names_its_field_and_limit() {
    attachment(key("abc", "eth0")).expect("fine");
    assert_eq!(refused(attachment(None)), "attachment: is missing");
    for (bad, field, limit) in [
        (
            key("", "eth0"),
            "attachment.container_id",
            "at most 128 bytes",
        ),
        (
            key(&"a".repeat(129), "eth0"),
            "attachment.container_id",
            "at most 128 bytes",
        ),
        (
            key("a", "eth0/1"),
            "attachment.interface",
            "at most 15 bytes",
        ),
        (
            key("a", "eth 0"),
            "attachment.interface",
            "at most 15 bytes",
        ),
        (
            key("a", "sixteen-letters-"),
            "attachment.interface",
            "at most 15 bytes",
        ),
    ] {
        let message = refused(attachment(bad));
        assert!(
            message.starts_with(field) && message.contains(limit),
            "{message}"
        );
    }
}

fn v4<'a>(cidr: &'a str, gateway: &'a str) -> SubnetFields<'a> {
    SubnetFields {
        ipv4: true,
        cidr_field: "ipv4_cidr",
        cidr,
        gateway_field: "ipv4_gateway",
        gateway,
    }
}

/// Promise: a CIDR with host bits is refused with the one that was meant; the wrong family and a stray gateway too.
#[test]
fn a_bad_subnet_says_what_was_meant() {
    assert!(
        subnet(&v4("10.0.3.0/24", "10.0.3.1"))
            .expect("fine")
            .is_some()
    );
    assert!(subnet(&v4("", "")).expect("fine").is_none());
    let host_bits = refused(subnet(&v4("10.0.3.9/24", "")));
    assert_eq!(
        host_bits,
        "ipv4_cidr: 10.0.3.9/24 has host bits set; did you mean 10.0.3.0/24?"
    );
    assert!(refused(subnet(&v4("10.0.3.0", ""))).contains("10.0.3.0/24"));
    assert!(refused(subnet(&v4("10.0.3.0/33", ""))).starts_with("ipv4_cidr"));
    assert!(refused(subnet(&v4("fd00::/64", ""))).contains("other family"));
    assert!(refused(subnet(&v4("", "10.0.3.1"))).starts_with("ipv4_gateway: is set"));
    assert!(
        refused(subnet(&v4("10.0.3.0/24", "10.0.4.1"))).contains("does not lie in 10.0.3.0/24")
    );
}

/// Promise: a subnet that no pod's interface can be in is refused with what it is; the nearest that can be is not (control).
#[test]
fn a_subnet_of_special_addresses_is_refused() {
    let v6 = |cidr| SubnetFields {
        ipv4: false,
        cidr_field: "ipv6_cidr",
        cidr,
        gateway_field: "ipv6_gateway",
        gateway: "",
    };
    for (fields, what) in [
        (v4("127.0.3.0/24", ""), "loopback"),
        (v4("224.0.0.0/24", ""), "multicast"),
        (v4("169.254.0.0/16", ""), "link-local"),
        (v4("0.0.0.0/0", ""), "this network"),
        (v4("255.255.255.0/24", ""), "broadcast"),
        (v6("ff02::/64"), "multicast"),
        (v6("fe80::/64"), "link-local"),
    ] {
        let said = refused(subnet(&fields));
        assert!(
            said.starts_with(fields.cidr_field) && said.contains(what),
            "{said}"
        );
    }
    for fields in [
        v4("126.255.255.0/24", ""),
        v4("223.255.255.0/24", ""),
        v4("169.255.0.0/16", ""),
        v6("fd00::/64"),
    ] {
        assert!(subnet(&fields).expect("a usual subnet").is_some());
    }
}

/// Promise: at most one address per family, given IPv4 first whatever the order asked in.
#[test]
fn addresses_are_one_per_family() {
    let texts = |list: &[&str]| list.iter().map(|text| text.to_string()).collect::<Vec<_>>();
    let both = addresses("requested_addresses", &texts(&["fd00::7", "10.0.3.7"])).expect("fine");
    assert!(both[0].is_ipv4() && both[1].is_ipv6());
    for bad in [
        vec!["10.0.3.7", "10.0.3.8"],
        vec!["10.0.3.7/24"],
        vec!["x"],
        vec!["10.0.3.7"; 3],
        vec!["010.0.3.7"],
    ] {
        assert!(
            refused(addresses("requested_addresses", &texts(&bad)))
                .starts_with("requested_addresses")
        );
    }
}

/// Promise: a range runs upwards within one family.
#[test]
fn ranges_run_upwards() {
    assert_eq!(
        range("exclusions", "10.0.0.9")
            .expect("one")
            .last
            .to_string(),
        "10.0.0.9"
    );
    range("exclusions", "10.0.0.9-10.0.0.20").expect("a range");
    for bad in ["10.0.0.9-10.0.0.8", "10.0.0.9-fd00::1", "-", "10.0.0.9-"] {
        assert!(
            refused(range("exclusions", bad)).starts_with("exclusions"),
            "{bad}"
        );
    }
    let many = vec!["10.0.0.9".to_owned(); limits::EXCLUSIONS_MAX + 1];
    assert!(refused(exclusions(&many)).contains("at most 256"));
}

/// Promise: numbers, pages and moments have both bounds named.
#[test]
fn numbers_name_their_bounds() {
    assert_eq!(
        refused(number("deadline_ms", 0, limits::DEADLINE_MS)),
        "deadline_ms: 0 is not from 1000 to 120000"
    );
    assert_eq!(page_size(0).expect("default"), limits::PAGE_SIZE);
    assert!(refused(page_size(501)).contains("1 to 500"));
    assert!(refused(page_number("web-0")).contains("begin without one"));
    assert!(refused(moment("at_wall_ms", u64::MAX)).contains("ms since 1970"));
    assert!(refused(claim_name("name", "web-0")).contains("cluster/namespace/pod"));
    assert!(refused(network_kind("vlan")).contains("routed"));
    assert!(refused(policy("forever")).starts_with("policy"));
}

/// Promise: an over-long reason or request id is refused, never cut.
#[test]
fn a_long_reason_is_refused() {
    let said = |request_id: &str, reason: &str| {
        Some(v1::Change {
            request_id: request_id.into(),
            reason: reason.into(),
        })
    };
    assert!(
        change(None)
            .expect("may be left out")
            .reason
            .as_str()
            .is_empty()
    );
    assert!(refused(change(said("", &"x".repeat(257)))).starts_with("change.reason"));
    assert!(refused(change(said(&"x".repeat(65), ""))).contains("at most 64 bytes"));
    assert!(refused(change(said("a b", ""))).starts_with("change.request_id"));
}
