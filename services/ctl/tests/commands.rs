//! Promise: what is typed is what is asked, and the exit status says what became of it.

#[path = "commands/stand_in.rs"]
mod stand_in;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use stand_in::StandIn;

fn berthctl(endpoints: &[&str], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berthctl"));
    command
        .args(arguments)
        .env("BERTH_ENDPOINTS", endpoints.join(","))
        .env("USER", "ada");
    command
}

fn run(endpoints: &[&str], arguments: &[&str]) -> Output {
    berthctl(endpoints, arguments)
        .output()
        .expect("berthctl runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Promise: every option reaches the server, with the reason and a request id; a refusal is one line and status 1.
#[test]
fn a_refusal_is_one_line_and_status_1() {
    let server = StandIn::default();
    let asked = server.asked.clone();
    let endpoint = server.serve();
    let arguments = [
        "vswitch",
        "create",
        "zone-a",
        "--zone",
        "a",
        "--cidr",
        "10.0.3.0/24",
        "--exclude",
        "10.0.3.9",
        "--cooling",
        "5s",
        "--reason",
        "drill",
    ];
    let output = run(&[&endpoint], &arguments);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "berthctl: 10.0.3.0/24 overlaps zone-b's 10.0.0.0/16\n"
    );
    assert_eq!(text(&output.stdout), "");
    let request = asked.lock().expect("no panic under it").join("");
    for part in [
        "\"zone-a\"",
        "\"10.0.3.0/24\"",
        "[\"10.0.3.9\"]",
        "cooling_ms: 5000",
        "reason: \"drill\"",
    ] {
        assert!(request.contains(part), "{part} is not in {request}");
    }
    assert!(!request.contains("request_id: \"\""), "{request}");
}

/// Promise: without a reason the history says who typed it; without an identity a node's name is its identity.
#[test]
fn what_is_not_said_is_filled_in() {
    let server = StandIn::default();
    let asked = server.asked.clone();
    let output = run(
        &[&server.serve()],
        &["node", "register", "worker-1", "--zone", "a", "-o", "json"],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("\"identity\": \"worker-1\""));
    assert!(asked.lock().expect("no panic under it")[0].contains("reason: \"berthctl by ada\""));
}

/// Promise: a list has all pages, and so has the whole history.
#[test]
fn all_pages_are_fetched() {
    let endpoint = StandIn::default().serve();
    let nodes = text(&run(&[&endpoint], &["node", "list"]).stdout);
    assert!(
        nodes.contains("worker-1") && nodes.contains("worker-2"),
        "{nodes}"
    );
    let history = text(&run(&[&endpoint], &["history", "--all", "-o", "json"]).stdout);
    assert_eq!(
        history.matches("\"revision\": ").count(),
        4,
        "three events and the document: {history}"
    );
}

/// Promise: replicas that agree are status 0; one that differs, or is away, is status 1.
#[test]
fn a_check_that_does_not_hold_is_status_1() {
    let serve = |digest| {
        StandIn {
            digest,
            ..StandIn::default()
        }
        .serve()
    };
    let (one, same, other) = (serve("x"), serve("x"), serve("y"));
    let status = |endpoints: &[&str]| run(endpoints, &["check", "--only-given"]).status.code();
    assert_eq!(status(&[&one, &same]), Some(0));
    assert_eq!(status(&[&one, &other]), Some(1));
    assert_eq!(status(&[&one, "http://127.0.0.1:1"]), Some(1));
}

/// Promise: what is not understood is status 2, and asks nobody.
#[test]
fn what_is_not_understood_is_status_2() {
    let server = StandIn::default();
    let asked = server.asked.clone();
    let endpoint = server.serve();
    for arguments in [
        &["vswitch", "create", "x"][..],
        &["whohas", "10.0.0.1", "--at", "soon"],
        &["dance"],
    ] {
        assert_eq!(
            run(&[&endpoint], arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
    assert!(asked.lock().expect("no panic under it").is_empty());
}

/// Promise: facts are sent and counted once they are acknowledged; a bad line stops it and is named.
#[test]
fn facts_are_acknowledged_by_line() {
    let server = StandIn::default();
    let asked = server.asked.clone();
    let endpoint = server.serve();
    let report = |input: &str| {
        let mut command = berthctl(&[&endpoint], &["facts", "report", "-o", "json"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("berthctl runs");
        child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(input.as_bytes())
            .expect("it reads");
        child.wait_with_output().expect("it ends")
    };
    let node = r#"{"kind":"node","name":"worker-1"}"#;
    let pod = r#"{"kind":"pod","namespace":"shop","name":"db-0","uid":"1"}"#;
    let good = report(&format!("{node}\n\n{{\"kind\":\"synced\"}}\n{pod}\n"));
    assert!(good.status.success(), "{}", text(&good.stderr));
    assert!(
        text(&good.stdout).contains("{\"acknowledged_line\":3}\n"),
        "{}",
        text(&good.stdout)
    );
    let order: Vec<String> = asked.lock().expect("no panic under it").clone();
    assert_eq!(order.len(), 3, "{order:?}");
    // A change that came before the stream was open may be part of the full list, so only the first place is sure.
    assert!(order[0].contains("worker-1"), "{order:?}");
    assert!(
        order.iter().any(|report| report.contains("db-0")),
        "{order:?}"
    );

    let bad = report(&format!("{node}\n{{\"kind\":\"cow\"}}\n"));
    assert_eq!(bad.status.code(), Some(1));
    assert!(
        text(&bad.stderr).contains("line 2 of the input is no fact"),
        "{}",
        text(&bad.stderr)
    );
    let unsynced = report(node);
    assert_eq!(unsynced.status.code(), Some(1));
}

/// Promise: what is typed of a type is what is asked, and `trunk` is the wire's shared+trunk.
#[test]
fn a_capacity_is_asked_for_as_typed() {
    let server = StandIn::default();
    let asked = server.asked.clone();
    let arguments = [
        "capacity",
        "ecs.g7.4xlarge",
        "--mode",
        "trunk",
        "--dual-stack",
        "--max-pods",
        "64",
    ];
    run(&[&server.serve()], &arguments);
    let request = asked.lock().expect("no panic under it").join("");
    for part in [
        "\"ecs.g7.4xlarge\"",
        "\"shared+trunk\"",
        "dual_stack: true",
        "max_pods: Some(64)",
        "rdma_enis: None",
    ] {
        assert!(request.contains(part), "{part} is not in {request}");
    }
}

/// Promise: a plan that goes together is status 0, one with a refused finding status 1; a file that is none says where.
#[test]
fn a_plan_that_is_refused_is_status_1() {
    let endpoint = StandIn::default().serve();
    let check = |text: &str| {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("it can be written");
        let path = file.path().to_str().expect("a path").to_owned();
        run(&[&endpoint], &["plan", "check", &path])
    };
    let good = check("kubernetes = '1.31'\n");
    assert_eq!(good.status.code(), Some(0), "{}", text(&good.stderr));
    assert_eq!(text(&good.stdout), "the plan goes together\n");
    let bad = check("[[pools]]\nname = 'main'\n");
    assert_eq!(bad.status.code(), Some(1));
    assert!(text(&bad.stdout).contains("type_unknown"));
    let none = check("\nservice_cird = ''\n");
    assert_eq!(none.status.code(), Some(1));
    let words = text(&none.stderr);
    assert!(
        words.contains("line 2") && words.contains("service_cird"),
        "{words}"
    );
    let gone = run(&[&endpoint], &["plan", "check", "no-such-file.toml"]);
    assert!(text(&gone.stderr).contains("no-such-file.toml cannot be read"));
}
