//! The shim and `berthctl` with a server of another release.

use crate::proxy::Proxy;
use crate::shape::Shape;
use berth_testkit::process::{Cluster, binary};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

struct Ended {
    done: bool,
    json: Value,
    said: String,
}

fn run(mut command: Command, stdin: &str) -> Ended {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    match input.write_all(stdin.as_bytes()) {
        // A program that reads nothing closes the pipe under the writer.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => panic!("stdin: {error}"),
        _ => drop(input),
    }
    let output = child.wait_with_output().expect("it ends");
    Ended {
        done: output.status.success(),
        json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn berthctl(endpoint: &str, words: &[&str]) -> Ended {
    let mut command = Command::new(binary("berthctl").expect("it is built"));
    command.env_clear().env("BERTH_ENDPOINTS", endpoint);
    command.args(["-o", "json"]).args(words);
    run(command, "")
}

fn shim(endpoint: &str, verb: &str, container: &str, more: Value) -> Ended {
    let mut command = Command::new(binary("berth-cni").expect("it is built"));
    let arguments =
        format!("K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-{container};K8S_POD_UID=uid-{container}");
    command.env_clear().envs([
        ("CNI_COMMAND", verb),
        ("CNI_CONTAINERID", container),
        ("CNI_NETNS", "/run/netns/pod"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_PATH", "/opt/cni/bin"),
        ("CNI_ARGS", &arguments),
    ]);
    let mut configuration = json!({
        "cniVersion": "1.1.0", "name": "pods", "type": "bridge",
        "ipam": {"type": "berth-cni", "endpoints": [endpoint], "node": "worker-1", "deadline_ms": 10_000},
    });
    let fields = configuration.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    run(command, &configuration.to_string())
}

/// A pod's life and an administrator's day through a proxy of this shape.
fn a_day(shape: Shape) {
    let mut cluster = Cluster::dev().expect("a server");
    let direct = cluster.members()[0].endpoint();
    let port = direct.rsplit(':').next().and_then(|port| port.parse().ok());
    let proxy = Proxy::before(port.expect("a port"), shape);
    let endpoint = proxy.endpoint();
    let ctl = |words: &[&str]| berthctl(&endpoint, words);
    for words in [
        &[
            "vswitch",
            "create",
            "pods",
            "--zone",
            "a",
            "--cidr",
            "10.8.0.0/24",
        ][..],
        &[
            "node",
            "register",
            "worker-1",
            "--zone",
            "a",
            "--identity",
            "machine-1",
        ],
        &[
            "claim",
            "create",
            "shop/db-0",
            "--vswitch",
            "pods",
            "--address",
            "10.8.0.9",
        ],
    ] {
        let ended = ctl(words);
        assert!(ended.done, "{words:?}: {}", ended.said);
    }
    let added = shim(&endpoint, "ADD", "one", json!({}));
    assert!(added.done, "{} {}", added.json, added.said);
    let address = added.json["ips"][0]["address"]
        .as_str()
        .expect("an address")
        .to_owned();
    let again = shim(&endpoint, "ADD", "one", json!({}));
    assert_eq!(again.json, added.json, "a repeat");
    let previous = json!({"prevResult": added.json});
    let checked = shim(&endpoint, "CHECK", "one", previous.clone());
    assert!(checked.done, "{} {}", checked.json, checked.said);
    assert!(shim(&endpoint, "STATUS", "one", json!({})).done);
    let bare = address.split('/').next().expect("an address");
    for words in [
        &["vswitch", "list"][..],
        &["vswitch", "show", "pods"],
        &["node", "list"],
        &["node", "show", "worker-1"],
        &["claim", "list"],
        &["claim", "show", "shop/db-0"],
        &["allocation", "list"],
        &["whohas", bare],
        &["history", "--ip", bare],
        &["member", "list"],
        &["raft", "status"],
        &["version", "show"],
    ] {
        let (through, straight) = (ctl(words), berthctl(&direct, words));
        assert!(through.done, "{words:?}: {}", through.said);
        // An older one does not send all; what it sends is the same.
        assert!(
            is_part_of(&through.json, &straight.json),
            "{words:?}: {} {}",
            through.json,
            straight.json
        );
    }
    let valid = json!({"cni.dev/valid-attachments": []});
    assert!(shim(&endpoint, "GC", "one", valid).done);
    let collected = shim(&endpoint, "CHECK", "one", previous);
    assert!(!collected.done, "it was collected");
    assert!(shim(&endpoint, "DEL", "one", json!({})).done);
    assert!(ctl(&["claim", "delete", "shop/db-0"]).done);
    // What the other release does not have is said so; nothing is broken off in the middle.
    let check = ctl(&["check", "--only-given"]);
    assert!(check.done, "{} {}", check.json, check.said);
    assert!(proxy.messages() > 40, "nothing went through it");
}

/// Numbers that move by themselves are not compared; nor what is not there.
fn is_part_of(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part.iter().all(|(name, value)| {
            let other = whole.get(name);
            // Where it was asked is not what was answered.
            let is_absent = name == "endpoint"
                || value.is_null()
                || *value == json!(0)
                || *value == json!("")
                || *value == json!([]);
            is_absent || other.is_some_and(|other| is_part_of(value, other))
        }),
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len()
                && part
                    .iter()
                    .zip(whole)
                    .all(|(one, other)| is_part_of(one, other))
        }
        (Value::Number(_), Value::Number(_)) => true,
        (part, whole) => part == whole,
    }
}

/// Promise: shim and `berthctl` work with a server that is as old as the first release that is kept.
#[test]
fn with_an_older_one() {
    a_day(Shape::of_the_first_release());
}

/// Promise: they work with a server that sends what they do not know, and it with them.
#[test]
fn with_a_newer_one() {
    a_day(Shape::Newer);
}

/// The control: the proxy alone changes nothing.
#[test]
fn with_the_same() {
    a_day(Shape::Same);
}
