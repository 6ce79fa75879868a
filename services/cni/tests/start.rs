//! The program as a process, without any server. (Conversations with servers are held in `tests/cni`.)

use std::io::Write;
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_berth-cni");

/// Promise: without an environment it says that people should use berthctl, and does not wait for input.
#[test]
fn a_person_is_told_what_to_use() {
    let output = Command::new(PROGRAM)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["code"], 4);
    assert!(String::from_utf8_lossy(&output.stderr).contains("berthctl"));
}

/// Promise: a caller that is gone is an exit status, not a panic: the DEL will come (containerd was killed).
#[test]
fn a_caller_that_is_gone_is_no_panic() {
    let mut child = Command::new(PROGRAM)
        .env_clear()
        .env("CNI_COMMAND", "VERSION")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(b"{\"cniVersion\": \"1.0.0\"}")
        .expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("berth-cni: stdout: Broken pipe"), "{log}");
}

/// Promise: an input without end is refused at its limit, and nothing else of it is looked at.
#[test]
fn an_endless_input_is_refused() {
    let mut child = Command::new(PROGRAM)
        .env_clear()
        .envs([("CNI_COMMAND", "STATUS")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let spaces = vec![b' '; 2 * 1024 * 1024];
    let written = stdin.write_all(&spaces);
    assert!(written.is_err(), "it read more than its limit");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["code"], 6);
    assert!(
        json["msg"]
            .as_str()
            .expect("text")
            .contains("1048576 bytes")
    );
}
