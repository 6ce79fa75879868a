//! Promise: an account can be looked at before Berth uses it, with nothing but credentials.

use std::process::{Command, Output};

use berth_cloud::simulator::http::Server;
use berth_cloud::simulator::{Setup, Simulator};
use tokio::net::TcpListener;

/// A simulated cloud; serves until the process ends.
fn cloud() -> String {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a free port");
    let endpoint = listener.local_addr().expect("an address").to_string();
    let server = Server::new(Simulator::new(Setup::built_in(), 1));
    std::thread::spawn(move || runtime.block_on(server.serve(listener)));
    endpoint
}

fn preflight(endpoint: &str, secret: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berthctl"));
    command
        .args(["cloud", "preflight", "--region", "cn-hangzhou"])
        .args(arguments)
        .env("ECS_ENDPOINT", endpoint)
        .env("VPC_ENDPOINT", endpoint)
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "sim-key")
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret);
    command.output().expect("berthctl runs")
}

const ALL: [&str; 4] = ["--instance", "i-g7", "--security-group", "sg-built-in"];

/// Promise: where nothing is missing it says so, shows what there is, and ends with 0.
#[test]
fn nothing_is_missing() {
    let endpoint = cloud();
    let output = preflight(&endpoint, "sim-secret", &ALL);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{output:?}");
    for line in [
        "vsw-i",
        "ecs.g7.xlarge",
        "CreateNetworkInterface",
        "not tried",
        "zone(s)",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let output = preflight(
        &endpoint,
        "sim-secret",
        &[&ALL[..], &["-o", "json"]].concat(),
    );
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["holds"], true);
    assert_eq!(document["rights"].as_array().map(Vec::len), Some(15));
}

/// Promise: what is missing is named and is status 1; a secret that does not fit is not shown.
#[test]
fn what_is_missing_is_status_1() {
    let endpoint = cloud();
    let missing = preflight(
        &endpoint,
        "sim-secret",
        &["--instance", "i-g7", "--vswitch", "vsw-none"],
    );
    let said = String::from_utf8_lossy(&missing.stdout).into_owned();
    assert_eq!(missing.status.code(), Some(1));
    assert!(said.contains("there is no vSwitch vsw-none"), "{said}");
    let wrong = preflight(&endpoint, "another-secret", &ALL);
    let said = String::from_utf8_lossy(&wrong.stdout).into_owned();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        said.contains("SignatureDoesNotMatch") && !said.contains("another-secret"),
        "{said}"
    );
    let nobody = preflight("127.0.0.1:1", "sim-secret", &ALL);
    let said = String::from_utf8_lossy(&nobody.stdout).into_owned();
    assert!(said.contains("cannot reach http://127.0.0.1:1"), "{said}");
}
