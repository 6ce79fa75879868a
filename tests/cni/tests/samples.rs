//! The sample configurations in `deploy/`: they fit their schema, the schema fits the plugin.

use std::fs;
use std::path::{Path, PathBuf};

use berth_cni_tests::plugin;
use berth_testkit::process::binary;
use jsonschema::Validator;
use serde_json::{Value, json};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn read(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn schema() -> Validator {
    let schema = read(&deploy().join("conflist.schema.json"));
    jsonschema::draft202012::meta::validate(&schema).expect("the schema is one");
    jsonschema::validator_for(&schema).expect("the schema is one")
}

fn samples() -> Vec<PathBuf> {
    let entries = fs::read_dir(deploy().join("conflists")).expect("the folder");
    let paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(paths.len() >= 3);
    paths
}

fn sample() -> Value {
    read(&deploy().join("conflists/10-berth-bridge.conflist"))
}

/// Promise: every sample fits the schema.
#[test]
fn samples_fit_the_schema() {
    let schema = schema();
    for path in samples() {
        let errors: Vec<String> = schema
            .iter_errors(&read(&path))
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", path.display());
    }
}

/// Every change that makes a sample bad: (JSON pointer, value; null = taken out).
fn bad_changes() -> Vec<(&'static str, Value)> {
    vec![
        ("/cniVersion", json!("0.2.0")),
        ("/name", json!("a/b")),
        ("/plugins", json!([])),
        ("/plugins/0/type", json!("berth-cni")),
        ("/plugins/0/ipam/endpoints", Value::Null),
        ("/plugins/0/ipam/endpoints", json!(["127.0.0.1:7400"])),
        ("/plugins/0/ipam/socket", json!("/run/berth/agent.sock")),
        ("/plugins/0/ipam/deadline_ms", json!(999)),
        ("/plugins/0/ipam/deadline_ms", json!("5s")),
        ("/plugins/0/ipam/node", json!("a b")),
        ("/plugins/0/ipam/tls", json!({ "ca": "/a" })),
        ("/plugins/0/ipam/routes", json!([{ "dst": "default" }])),
    ]
}

fn changed(pointer: &str, value: &Value) -> Value {
    let mut config = sample();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = config.pointer_mut(parent).expect("it is there");
    parent[key] = value.clone();
    if value.is_null() {
        parent.as_object_mut().expect("an object").remove(key);
    }
    config
}

/// Promise (negative control): each mistake is found by the schema, and the plugin refuses the same ones.
#[test]
fn mistakes_are_found_by_schema_and_plugin_alike() {
    let schema = schema();
    let plugin = binary("berth-cni").unwrap_or_else(|error| panic!("{error}"));
    for (pointer, value) in bad_changes() {
        let config = changed(pointer, &value);
        assert!(!schema.is_valid(&config), "{pointer} {value}");
        let Some(one) = config.pointer("/plugins/0") else {
            continue; // a list without plugins never reaches a plugin
        };
        let mut one = one.clone();
        one["cniVersion"] = config["cniVersion"].clone();
        one["name"] = config["name"].clone();
        let environment = [
            "CNI_COMMAND=ADD",
            "CNI_CONTAINERID=c1",
            "CNI_NETNS=/n",
            "CNI_IFNAME=eth0",
        ];
        let environment = environment.map(|pair| pair.split_once('=').expect("a pair"));
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let answer = plugin::run(&plugin, &environment, &one.to_string());
        let code = answer.json.and_then(|error| error["code"].as_u64());
        assert!(matches!(code, Some(1 | 7)), "{pointer} {value}: {code:?}");
    }
}
