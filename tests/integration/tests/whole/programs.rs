//! The programs as a runtime and an administrator run them.

use std::io::Write;
use std::process::{Command, Stdio};

use berth_client::{Client, Error, Options};
use berth_proto::v1::{CreateVSwitchRequest, RegisterNodeRequest};
use berth_testkit::process::binary;
use serde_json::{Value, json};

/// What a program left behind.
#[derive(Debug)]
pub struct Answer {
    /// Its exit status.
    pub exit: i32,
    /// The JSON on stdout; null if there was none.
    pub json: Value,
    /// What people would read.
    pub log: String,
}

/// Runs the shim's ADD of one sandbox for a pod of its own, with exactly these variables beside the runtime's.
pub fn add(ipam: &Value, container: &str, variables: &[(&str, &str)]) -> Answer {
    let pod = format!("web-{container}");
    call("ADD", ipam, (container, &pod), variables)
}

/// Runs one verb of the shim for a sandbox and its pod.
pub fn call(
    verb: &str,
    ipam: &Value,
    (container, pod): (&str, &str),
    variables: &[(&str, &str)],
) -> Answer {
    let netns = format!("/run/netns/{container}");
    let arguments =
        format!("K8S_POD_NAMESPACE=shop;K8S_POD_NAME={pod};K8S_POD_UID=uid-{container}");
    let mut command = Command::new(binary("berth-cni").expect("it is built"));
    command.env_clear();
    command.envs([
        ("CNI_COMMAND", verb),
        ("CNI_CONTAINERID", container),
        ("CNI_NETNS", &netns),
        ("CNI_IFNAME", "eth0"),
        ("CNI_PATH", "/opt/cni/bin"),
        ("CNI_ARGS", &arguments),
    ]);
    command.envs(variables.iter().copied());
    let configuration = json!({
        "cniVersion": "1.0.0", "name": "pods", "type": "bridge", "ipam": ipam,
    });
    run(command, &configuration.to_string())
}

/// An `ipam` object for these servers.
pub fn ipam(endpoints: &[String]) -> Value {
    json!({
        "type": "berth-cni", "endpoints": endpoints, "node": "worker-1", "deadline_ms": 20_000,
    })
}

/// `berthctl -o json` with these words.
pub fn berthctl(endpoint: &str, words: &[&str]) -> Answer {
    let mut command = Command::new(binary("berthctl").expect("it is built"));
    command.env_clear().args(words);
    command.args(["--endpoint", endpoint, "-o", "json"]);
    run(command, "")
}

fn run(mut command: Command, stdin: &str) -> Answer {
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    // A program that reads nothing closes the pipe under the writer.
    match input.write_all(stdin.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => panic!("stdin: {error}"),
        _ => drop(input),
    }
    let output = child.wait_with_output().expect("it ends");
    Answer {
        exit: output.status.code().unwrap_or(-1),
        json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        log: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// vSwitch "pods" of this CIDR and node "worker-1", which keeps so many addresses warm.
pub async fn world(client: &Client, cidr: &str, warm_target: u32) -> Result<(), Error> {
    let vswitch = CreateVSwitchRequest {
        name: "pods".into(),
        zone: "a".into(),
        ipv4_cidr: cidr.into(),
        ..CreateVSwitchRequest::default()
    };
    client.create_vswitch(vswitch).await?;
    let node = RegisterNodeRequest {
        name: "worker-1".into(),
        zone: "a".into(),
        identity: "machine-1".into(),
        warm_target,
        ..RegisterNodeRequest::default()
    };
    client.register_node(node).await.map(|_| ())
}

/// A client of these servers, in clear text.
pub fn client(endpoints: &[String]) -> Client {
    Client::new(Options::endpoints(endpoints)).expect("endpoints")
}
