//! The simulator judged by a client that is not ours: Alibaba Cloud's own SDK for Python, of the versions named here, drives every action of it.
#![cfg(feature = "sdk-tests")]

use berth_cloud::simulator::http::Server;
use berth_cloud::simulator::{Setup, Simulator};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use tokio::net::TcpListener;

const PACKAGES: [&str; 2] = [
    "alibabacloud-ecs20140526==7.11.8",
    "alibabacloud-vpc20160428==7.2.2",
];
/// As many lines as the script has checks.
const CHECKS: usize = 25;

static PYTHON: LazyLock<PathBuf> = LazyLock::new(python);

/// A Python that has the SDK; made once in the target directory.
fn python() -> PathBuf {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sdk-{}", PACKAGES.join("-")));
    let python = venv.join("bin/python");
    let import = "import alibabacloud_ecs20140526.client, alibabacloud_vpc20160428.client";
    let has_sdk = || {
        let asked = Command::new(&python).args(["-c", import]).output();
        asked.is_ok_and(|asked| asked.status.success())
    };
    if !has_sdk() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&venv));
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet"])
            .args(PACKAGES));
    }
    python
}

fn run(command: &mut Command) -> Output {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output
}

fn drive(setup: Setup) -> Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a local server starts");
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .expect("a local server starts");
    let endpoint = format!(
        "http://{}",
        listener.local_addr().expect("a local server starts")
    );
    let server = Server::new(Simulator::new(setup, 1));
    std::thread::spawn(move || runtime.block_on(server.serve(listener)));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/official_sdk.py");
    let output = Command::new(&*PYTHON).arg(script).arg(endpoint).output();
    output.expect("the script runs")
}

/// Promise: what was written for Alibaba Cloud works with the simulator without a change.
#[test]
fn the_official_sdk_drives_every_action() {
    let mut setup = Setup::built_in();
    setup.times.attach_ms = 500;
    let output = drive(setup);
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{wrong}");
    let held = said.lines().filter(|line| line.starts_with("holds: "));
    assert_eq!(held.count(), CHECKS, "{said}");
}

/// Promise: the script can fail: it finds a cloud that knows none of its instance types.
#[test]
fn the_script_finds_another_cloud() {
    let mut setup = Setup::built_in();
    setup.instance_types.clear();
    let output = drive(setup);
    assert!(!output.status.success());
    assert!(
        output.stdout.is_empty(),
        "the first check is about instance types"
    );
}
