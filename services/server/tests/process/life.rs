//! Starting, stopping, starting again.

use crate::harness::*;
use berth_proto::v1;
use std::time::{Duration, Instant};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// Promise: what was acknowledged is there after a kill -9 and after a stop, and the ledger is the same one.
#[tokio::test]
async fn everything_survives_a_restart() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    world(&mut berthd.admin().await, "10.0.3.0/24").await;
    let one = berthd
        .allocator()
        .await
        .allocate(add("one"))
        .await
        .expect("an address")
        .into_inner();
    berthd.kill();

    let berthd = Berthd::dev(directory.path(), &[]);
    let mut allocator = berthd.allocator().await;
    let again = allocator
        .allocate(add("one"))
        .await
        .expect("the same")
        .into_inner();
    assert_eq!(
        (again.addresses, again.created),
        (one.addresses.clone(), false)
    );
    let two = allocator
        .allocate(add("two"))
        .await
        .expect("another")
        .into_inner();
    let before = berthd
        .admin()
        .await
        .ledger_digest(v1::LedgerDigestRequest {})
        .await
        .expect("a digest")
        .into_inner();
    assert!(before.violations.is_empty(), "{:?}", before.violations);
    let (success, said) = berthd.stop();
    assert!(success, "{said}");

    let berthd = Berthd::dev(directory.path(), &[]);
    let mut admin = berthd.admin().await;
    let rows = admin
        .list_allocations(v1::ListAllocationsRequest::default())
        .await
        .expect("a list")
        .into_inner();
    let addresses: Vec<String> = rows
        .allocations
        .into_iter()
        .flat_map(|row| row.addresses)
        .collect();
    assert_eq!(
        addresses,
        [
            one.addresses[0].address.clone(),
            two.addresses[0].address.clone()
        ]
    );
    let history = admin
        .list_history(v1::ListHistoryRequest::default())
        .await
        .expect("a history")
        .into_inner();
    let revisions: Vec<u64> = history.groups.iter().map(|group| group.revision).collect();
    assert_eq!(
        revisions,
        (1..=history.revision).collect::<Vec<_>>(),
        "gap-free from the first"
    );
}

/// Promise: `berthd --dev` is ready within a second on an idle machine; the bound here is for a busy one.
#[test]
fn dev_is_ready_at_once() {
    let directory = directory();
    let begun = Instant::now();
    let berthd = Berthd::dev(directory.path(), &[]);
    let took = begun.elapsed();
    println!("ready after {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    drop(berthd);
}

/// Promise: health says that ADDs are served while they are, and that this replica leads.
#[tokio::test]
async fn health_says_what_is_served() {
    let directory = directory();
    let berthd = Berthd::dev(directory.path(), &[]);
    let mut health = HealthClient::new(berthd.channel().await);
    for service in ["", "berth.v1.Allocator", "berth.v1.Admin", "berth.leader"] {
        let answer = health
            .check(HealthCheckRequest {
                service: service.into(),
            })
            .await
            .expect("known");
        assert_eq!(answer.into_inner().status, 1, "{service:?} serves");
    }
    let unknown = health
        .check(HealthCheckRequest {
            service: "other".into(),
        })
        .await
        .expect_err("unknown");
    assert_eq!(unknown.code(), tonic::Code::NotFound);
}

/// Promise: a directory in use, one of another cluster or another replica, an emptied one and a damaged one are refused with what to do,
/// and nothing in them is touched.
#[test]
fn a_directory_that_is_not_ours_is_refused() {
    let used = directory();
    let path = used.path().to_str().expect("a path").to_owned();
    let berthd = Berthd::dev(used.path(), &[]);
    let refused = |flags: &[&str]| {
        let ports = [
            "--listen-client",
            "127.0.0.1:0",
            "--listen-peer",
            "127.0.0.1:0",
            "--listen-metrics",
            "127.0.0.1:0",
        ];
        let (success, said) = Berthd::spawn(&[flags, &ports].concat()).ended();
        assert!(!success && !said.contains("panicked"), "{said}");
        said
    };
    let said = refused(&["--dev", "--data-dir", &path]);
    assert!(said.contains("in use by process"), "{said}");
    berthd.stop();
    let member = "name=a,client=http://127.0.0.1:1,peer=http://127.0.0.1:2";
    let said = refused(&[
        "--bootstrap",
        "--name",
        "a",
        "--member",
        member,
        "--data-dir",
        &path,
    ]);
    assert!(said.contains("belongs to cluster"), "{said}");
    let begun = directory();
    let begun_path = begun.path().join("data").display().to_string();
    let other = "name=b,client=http://127.0.0.1:3,peer=http://127.0.0.1:4";
    let listed = [
        "--member",
        member,
        "--member",
        other,
        "--data-dir",
        &begun_path,
    ];
    let free = [
        "--listen-client",
        "127.0.0.1:0",
        "--listen-peer",
        "127.0.0.1:0",
    ];
    let one = [&listed[..], &free, &["--listen-metrics", "127.0.0.1:0"]].concat();
    let mut berthd = Berthd::spawn(&[&["--bootstrap", "--name", "a"], &one[..]].concat());
    berthd.until("\"listening\"");
    berthd.kill();
    for start in [&["--bootstrap", "--name", "b"][..], &["--name", "b"]] {
        let said = refused(&[start, &listed].concat());
        assert!(said.contains("belongs to member 1, not to 2"), "{said}");
    }
    let said = refused(&[&["--cluster-id", "x", "--name", "a"], &listed[..]].concat());
    assert!(
        said.contains("belongs to cluster") && said.contains("not to x"),
        "{said}"
    );
    let said = refused(&["--dev", "--data-dir", &begun_path]);
    assert!(said.contains("not to one that --dev began"), "{said}");
    let empty = directory();
    let said = refused(&[
        "--name",
        "a",
        "--data-dir",
        empty.path().to_str().expect("a path"),
    ]);
    assert!(
        said.contains("--bootstrap") && said.contains("--rejoin"),
        "{said}"
    );
    std::fs::remove_dir_all(used.path().join("log")).expect("emptied");
    let said = refused(&["--dev", "--data-dir", &path]);
    assert!(
        said.contains("is damaged") && said.contains("--rejoin"),
        "{said}"
    );
}

/// Promise: a port in use is said with the option's name, before the directory is touched.
#[test]
fn a_port_in_use_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    let directory = directory();
    let path = directory.path().join("data");
    let flags = [
        "--dev",
        "--data-dir",
        path.to_str().expect("a path"),
        "--listen-client",
        &address,
    ];
    let (success, said) = Berthd::spawn(&flags).ended();
    assert!(!success && said.contains("option listen_client"), "{said}");
    assert!(!path.exists(), "nothing was made");
}

/// Promise: --print-config prints what was said and starts nothing.
#[test]
fn the_configuration_is_printed() {
    let directory = directory();
    let path = directory.path().join("data");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_berthd"))
        .env_clear()
        .env("BERTH_TICK_MS", "70")
        .args([
            "--dev",
            "--print-config",
            "--data-dir",
            path.to_str().expect("a path"),
        ])
        .output()
        .expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(
        output.status.success() && text.contains("tick_ms = 70"),
        "{text}"
    );
    assert!(!path.exists());
}
