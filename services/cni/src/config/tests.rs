use serde_json::{Value, json};

use super::{Config, Requested, Server};
use crate::error::{Code, Error};

fn with(change: impl FnOnce(&mut Value)) -> Result<Config, Error> {
    let mut config = json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "type": "bridge",
        "ipam": { "type": "berth-cni", "endpoints": ["http://127.0.0.1:7400"] },
    });
    change(&mut config);
    Config::read(&config)
}

fn refused(change: impl FnOnce(&mut Value)) -> (Code, String) {
    let error = with(change).expect_err("it is refused");
    (error.code, error.message)
}

/// Promise: the shortest configuration has sensible defaults, and foreign keys are nobody's business.
#[test]
fn the_shortest_configuration_is_enough() {
    let config = with(|config| {
        config["cni.dev/future"] = json!(1);
        config["ipam"]["ranges"] = json!([]);
    });
    let config = config.expect("it is taken");
    assert_eq!(config.ipam.cluster, "default");
    assert_eq!(config.ipam.deadline.as_secs(), 30);
    assert!(!config.ipam.node.is_empty());
    assert!(matches!(
        config.ipam.server,
        Server::Endpoints { tls: None, .. }
    ));
    assert_eq!(config.requested, None);
}

/// Promise: a wrong value is code 7 with the whole name of its key.
#[test]
fn wrong_values_name_their_key() {
    let cases: [(&str, Value, &str); 9] = [
        ("endpoints", json!("http://a"), "ipam.endpoints is text"),
        ("endpoints", json!([1]), "ipam.endpoints[0] is 1"),
        ("endpoints", json!([]), "1 to 16"),
        ("endpoints", json!(["127.0.0.1:7400"]), "ipam.endpoints[0]"),
        ("endpoints", json!(["https://a:1"]), "ipam.tls is missing"),
        ("deadline_ms", json!("5s"), "ipam.deadline_ms is text"),
        ("deadline_ms", json!(999), "1000 to 120000"),
        ("node", json!("a b"), "ipam.node"),
        ("socket", json!("/run/a"), "leave one out"),
    ];
    for (key, value, part) in cases {
        let (code, message) = refused(|config| config["ipam"][key] = value.clone());
        assert_eq!(code, Code::BadConfig, "{key} {value}");
        assert!(message.contains(part), "{message}");
    }
    assert!(with(|config| config["ipam"]["deadline_ms"] = json!(1_000)).is_ok());
}

/// Promise: a key of ours misspelt is refused with the right spelling, never ignored.
#[test]
fn misspelt_keys_are_refused() {
    let (code, message) = refused(|config| config["ipam"]["vSwitch"] = json!("a"));
    assert_eq!(code, Code::BadConfig);
    assert_eq!(
        message,
        "ipam.vSwitch is not known; did you mean ipam.vswitch?"
    );
}

/// Promise: a version that is not spoken is code 1, before anything else is looked at.
#[test]
fn other_versions_are_refused_first() {
    let (code, message) = refused(|config| {
        config["cniVersion"] = json!("0.2.0");
        config["ipam"] = json!(7);
    });
    assert_eq!(code, Code::IncompatibleVersion);
    assert!(message.contains("0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"));
    assert_eq!(
        refused(|config| config["ipam"] = json!(7)).0,
        Code::BadConfig
    );
}

/// Promise: called as main plugin it says what to write instead.
#[test]
fn a_main_plugin_is_told_what_to_do() {
    let (code, message) = refused(|config| config["type"] = json!("berth-cni"));
    assert_eq!(code, Code::BadConfig);
    assert!(message.contains("ipam.type"), "{message}");
}

/// Promise: a capability of the runtime goes before a hint; ranges are not ours to take.
#[test]
fn requested_addresses_have_an_order() {
    let config = with(|config| {
        config["args"] = json!({ "cni": { "ips": ["10.0.3.8"] } });
    });
    let hinted = config.expect("it is taken").requested;
    assert_eq!(hinted.map(|requested| requested.key), Some("args.cni.ips"));
    let config = with(|config| {
        config["args"] = json!({ "cni": { "ips": ["10.0.3.8"] } });
        config["runtimeConfig"] = json!({ "ips": ["10.0.3.7/24"] });
    });
    let texts = vec!["10.0.3.7/24".to_owned()];
    let key = "runtimeConfig.ips";
    assert_eq!(
        config.expect("it is taken").requested,
        Some(Requested { key, texts })
    );
    let ranges = refused(|config| config["runtimeConfig"] = json!({ "ipRanges": [[]] }));
    assert_eq!(ranges.0, Code::UnsupportedField);
}

/// Promise: a list of routes is taken as other address plugins take it, and a bad one is named by its place.
#[test]
fn routes_are_checked() {
    let good = json!([{ "dst": "0.0.0.0/0" }, { "dst": "fd00::/8", "gw": "fd00::1" }]);
    let config = with(|config| config["ipam"]["routes"] = good.clone()).expect("it is taken");
    let back: Vec<Value> = config
        .ipam
        .routes
        .iter()
        .map(super::Route::to_json)
        .collect();
    assert_eq!(Value::Array(back), good);
    let bad = json!([{ "dst": "0.0.0.0/0" }, { "dst": "10.0.0.0/33" }]);
    let (_, message) = refused(|config| config["ipam"]["routes"] = bad);
    assert!(message.starts_with("ipam.routes[1].dst is"), "{message}");
}
