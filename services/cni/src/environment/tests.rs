use std::ffi::OsString;

use super::{Environment, Verb};
use crate::error::{Code, Error};

fn read(variables: &[(&str, &str)]) -> Result<Environment, Error> {
    Environment::read(|name| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| OsString::from(value))
    })
}

fn refused(variables: &[(&str, &str)]) -> String {
    let error = read(variables).expect_err("it is refused");
    assert_eq!(error.code, Code::BadEnvironment);
    error.message
}

const ADD: [(&str, &str); 4] = [
    ("CNI_COMMAND", "ADD"),
    ("CNI_CONTAINERID", "c1"),
    ("CNI_NETNS", "/run/netns/a"),
    ("CNI_IFNAME", "eth0"),
];

fn with(name: &str, value: &str) -> Vec<(&'static str, String)> {
    let change = |(key, old): (&'static str, &str)| {
        let new = if key == name { value } else { old };
        (key, new.to_owned())
    };
    ADD.into_iter().map(change).collect()
}

fn refused_with(name: &str, value: &str) -> String {
    let variables = with(name, value);
    let borrowed: Vec<(&str, &str)> = variables
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    refused(&borrowed)
}

/// Promise: every variable that is missing is named at once, and one that is there is not.
#[test]
fn missing_variables_are_named() {
    let message = refused(&[("CNI_COMMAND", "ADD"), ("CNI_IFNAME", "eth0")]);
    assert!(message.starts_with("CNI_CONTAINERID, CNI_NETNS must be set"));
    assert!(refused(&[]).starts_with("CNI_COMMAND must be set"));
    let add = read(&ADD).expect("a full environment is taken");
    assert_eq!((add.verb, add.container_id.as_str()), (Verb::Add, "c1"));
}

/// Promise: a DEL needs no network namespace (CNI spec 1.1 §4: it may be empty).
#[test]
fn a_del_needs_no_netns() {
    let del = [
        ("CNI_COMMAND", "DEL"),
        ("CNI_CONTAINERID", "c1"),
        ("CNI_NETNS", ""),
        ("CNI_IFNAME", "eth0"),
    ];
    assert_eq!(read(&del).expect("it is taken").verb, Verb::Del);
}

/// Promise: what the kernel or the specification forbids in a name is refused with the name and the limit.
#[test]
fn bad_names_are_refused() {
    assert!(refused_with("CNI_IFNAME", "eth/0").contains("slash"));
    assert!(refused_with("CNI_IFNAME", "sixteen-bytes-lo").contains("at most 15"));
    assert!(refused_with("CNI_IFNAME", "..").contains("not a name"));
    assert!(refused_with("CNI_CONTAINERID", "-c").contains("letter or digit"));
    assert!(refused_with("CNI_COMMAND", "add").contains("VERSION"));
}

/// Promise: a container id that is sound for CNI but longer than Berth's is told apart, so that its DEL can succeed.
#[test]
fn a_long_container_id_is_beyond_limits() {
    let long = with("CNI_CONTAINERID", &"c".repeat(129));
    let read = Environment::read(|name| {
        let found = long.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| OsString::from(value))
    });
    let reason = read.expect("it is read").beyond_limits.expect("a reason");
    assert!(reason.contains("at most 128"), "{reason}");
    assert_eq!(self::read(&ADD).expect("it is read").beyond_limits, None);
}

/// Promise: a trace that no header could carry is dropped, a good one is kept.
#[test]
fn traces_are_kept_if_sound() {
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut variables = ADD.to_vec();
    variables.push(("TRACEPARENT", good));
    assert_eq!(
        read(&variables).expect("read").trace_parent.as_deref(),
        Some(good)
    );
    variables[4].1 = "two\nlines";
    assert_eq!(read(&variables).expect("read").trace_parent, None);
}
