//! Makes a release's folder, with the release's own server.

use super::{directory, home, log};
use berth_client::Client;
use berth_proto::v1::*;
use berth_testkit::process::{Cluster, Setup};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

static ONCE: Once = Once::new();
const PODS: u64 = 120;
/// Small, so that the directory has a snapshot and a log behind it.
const SNAPSHOT_EVERY_ENTRIES: &str = "64";

/// If the environment asks for it and the present version has no folder yet.
pub fn if_asked() {
    ONCE.call_once(|| {
        let folder = home().join(env!("CARGO_PKG_VERSION"));
        if std::env::var_os("BERTH_REGENERATE").is_some() && !folder.exists() {
            make(&folder);
        }
    });
}

fn make(folder: &Path) {
    fs::create_dir_all(folder).expect("made");
    log::write(folder);
    let setup = Setup::default()
        .flag("--snapshot-every-entries", SNAPSHOT_EVERY_ENTRIES)
        .flag("--snapshot-keep-entries", "8")
        .flag("--hold-cluster-version", "1")
        .flag("--ballast-mib", "0");
    // A thread of its own: the caller may be within a runtime.
    let (cluster, data, held) = std::thread::spawn(move || live(&setup))
        .join()
        .expect("no panic");
    let kept = tempfile::tempdir().expect("a folder");
    let copy = kept.path().join("directory");
    run(Command::new("cp").arg("--recursive").arg(&data).arg(&copy));
    drop(cluster);
    run(Command::new("rm")
        .arg("--force")
        .args(["lock", "ballast"].map(|file| copy.join(file))));
    run(Command::new("tar")
        .args([
            "--create",
            "--gzip",
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
        ])
        .arg("--file")
        .arg(folder.join(directory::ARCHIVE))
        .arg("--directory")
        .arg(kept.path())
        .arg("directory"));
    let held: String = held.into_iter().map(|address| address + "\n").collect();
    fs::write(folder.join(directory::HELD), held).expect("written");
    fs::write(folder.join(directory::EXPECTED), directory::read(&copy)).expect("written");
}

fn run(command: &mut Command) {
    assert!(command.status().expect("it runs").success(), "{command:?}");
}

/// A server with a past, stopped.
fn live(setup: &Setup) -> (Cluster, PathBuf, BTreeSet<String>) {
    let mut cluster = Cluster::start_with(1, setup).expect("it starts");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let client = directory::client(&mut cluster);
    runtime.block_on(past(&client));
    let held = runtime.block_on(directory::held(&client));
    let member = &mut cluster.members()[0];
    member.stop().expect("stopped");
    let data = member.data().to_owned();
    (cluster, data, held)
}

async fn past(client: &Client) {
    let vswitch = |name: &str, ipv4: &str, ipv6: &str| CreateVSwitchRequest {
        name: name.into(),
        zone: "a".into(),
        ipv4_cidr: ipv4.into(),
        ipv6_cidr: ipv6.into(),
        cooling_ms: 600_000,
        ..CreateVSwitchRequest::default()
    };
    client
        .create_vswitch(vswitch("pods", "10.4.0.0/16", ""))
        .await
        .expect("made");
    client
        .create_vswitch(vswitch("dual", "10.5.0.0/24", "fd00:5::/64"))
        .await
        .expect("made");
    for number in 1..=2 {
        let node = RegisterNodeRequest {
            name: format!("worker-{number}"),
            zone: "a".into(),
            identity: format!("machine-{number}"),
            ..RegisterNodeRequest::default()
        };
        client.register_node(node).await.expect("made");
    }
    for number in 0..4 {
        let claim = CreateClaimRequest {
            cluster: "default".into(),
            namespace: "shop".into(),
            pod: format!("pod-c{number}"),
            vswitch: "pods".into(),
            addresses: vec![format!("10.4.9.{number}")],
            policy: "never".into(),
            ..CreateClaimRequest::default()
        };
        client.create_claim(claim).await.expect("made");
    }
    for number in 0..PODS {
        let container = format!("c{number}");
        client.allocate(add(&container)).await.expect("added");
        if number % 3 == 0 {
            client.release(del(&container)).await.expect("deleted");
        }
    }
}

fn key(container: &str) -> AttachmentKey {
    AttachmentKey {
        cluster: "default".into(),
        network: "pods".into(),
        container_id: container.into(),
        interface: "eth0".into(),
    }
}

/// As the shim asks.
pub fn add(container: &str) -> AllocateRequest {
    AllocateRequest {
        attachment: Some(key(container)),
        pod: Some(PodIdentity {
            namespace: "shop".into(),
            name: format!("pod-{container}"),
            uid: format!("uid-{container}"),
        }),
        node: "worker-1".into(),
        boot_id: "boot-1".into(),
        invoked_at_ms: 1,
        ..AllocateRequest::default()
    }
}

fn del(container: &str) -> ReleaseRequest {
    ReleaseRequest {
        attachment: Some(key(container)),
        node: "worker-1".into(),
        boot_id: "boot-1".into(),
        invoked_at_ms: 2,
        ..ReleaseRequest::default()
    }
}
