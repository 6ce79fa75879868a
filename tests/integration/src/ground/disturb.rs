//! What can be done to a member from outside: packets, disk calls, clock. Each is taken back when its value goes.

use super::member::PEER_PORT;
use super::{LOOK_EVERY, Member, PATIENCE, address};
use berth_testkit::shell::try_run;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

/// Which packets a member does not get, or send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// None to or from these members, on any port.
    From(Vec<usize>),
    /// None from these members; its own reach them.
    DeafTo(Vec<usize>),
    /// None between it and the other servers; clients still reach it.
    Peers,
    /// Nothing at all to or from anybody.
    Alone,
    /// So many of a hundred packets are lost in each direction.
    Loss(u32),
}

/// Something that goes on until the value goes.
pub enum Disturbed {
    /// Rules in this namespace.
    Packets(String),
    /// A tracer that delays or fails calls of a process.
    Calls(Child),
}

// === impl Disturbed ===

impl Disturbed {
    /// Cuts a member off as said.
    pub fn cut(member: &Member, cut: &Cut) -> Self {
        let namespace = member.namespace().to_owned();
        let rules = rules(cut);
        let mut nft = Command::new("ip");
        nft.args(["netns", "exec", &namespace, "nft", "-f", "-"])
            .stdin(Stdio::piped());
        let mut nft = nft.spawn().expect("nftables is in apt-packages.txt");
        let mut input = nft.stdin.take().expect("a pipe");
        input.write_all(rules.as_bytes()).expect("nft reads");
        drop(input);
        assert!(
            nft.wait().expect("nft ends").success(),
            "nft refuses\n{rules}"
        );
        Self::Packets(namespace)
    }

    /// From now on each sync of the member, its own (fdatasync) and sled's (fsync), is treated so: "delay_exit=300000",
    /// "error=EIO".
    pub fn syncs(member: &Member, injection: &str) -> Self {
        Self::calls(member, "fdatasync,fsync", injection)
    }

    /// From now on the syncs that vouch for what is acknowledged fail; sled's own do not.
    pub fn failing_barrier(member: &Member) -> Self {
        Self::calls(member, "fdatasync", "error=EIO")
    }

    /// From now on what the member writes reaches its file so much later.
    pub fn slow_writes(member: &Member, delay_ms: u64) -> Self {
        Self::calls(
            member,
            "pwrite64",
            &format!("delay_enter={}", delay_ms * 1_000),
        )
    }

    fn calls(member: &Member, calls: &str, injection: &str) -> Self {
        let process = member
            .process()
            .expect("it runs")
            .as_raw_nonzero()
            .to_string();
        let trace = format!("trace={calls}");
        let inject = format!("inject={calls}:{injection}");
        let mut strace = Command::new("strace");
        strace.args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &trace,
            "-e",
            &inject,
            "-p",
            &process,
        ]);
        let strace = strace.process_group(0).stderr(Stdio::null()).spawn();
        let strace = strace.expect("strace is in apt-packages.txt");
        let begun = Instant::now();
        while !all_threads_traced(&process) {
            assert!(begun.elapsed() < PATIENCE, "strace does not attach");
            thread::sleep(LOOK_EVERY);
        }
        Self::Calls(strace)
    }
}

fn all_threads_traced(process: &str) -> bool {
    let threads = fs::read_dir(format!("/proc/{process}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let mut statuses = threads.map(|thread| fs::read_to_string(thread.path().join("status")));
    statuses.all(|status| status.is_ok_and(|status| !status.contains("TracerPid:\t0\n")))
}

impl Drop for Disturbed {
    fn drop(&mut self) {
        match self {
            Self::Packets(namespace) => {
                let flush = ["netns", "exec", namespace, "nft", "flush", "ruleset"];
                let done = try_run("ip", &flush);
                if !done.status.success() {
                    eprintln!("{namespace}: {}", String::from_utf8_lossy(&done.stderr));
                }
            }
            Self::Calls(strace) => {
                // A tracer that is killed lets go of its process; one that is asked waits for a process that was killed.
                if strace.kill().is_err() || strace.wait().is_err() {
                    eprintln!("strace does not end");
                }
            }
        }
    }
}

fn rules(cut: &Cut) -> String {
    let addresses = |numbers: &[usize]| {
        let all: Vec<String> = numbers.iter().map(|number| address(*number)).collect();
        all.join(", ")
    };
    let (input, output) = match cut {
        Cut::From(others) => {
            let others = addresses(others);
            (
                format!("ip saddr {{ {others} }} drop"),
                format!("ip daddr {{ {others} }} drop"),
            )
        }
        Cut::DeafTo(others) => (
            format!("ip saddr {{ {} }} drop", addresses(others)),
            String::new(),
        ),
        Cut::Peers => {
            let ports = |side: &str| format!("tcp {side} {PEER_PORT} drop");
            let both = format!("{}\n{}", ports("dport"), ports("sport"));
            (both.clone(), both)
        }
        Cut::Alone => ("drop".to_owned(), "drop".to_owned()),
        Cut::Loss(percent) => {
            let some = format!("numgen random mod 100 < {percent} drop");
            (some.clone(), some)
        }
    };
    format!(
        "flush ruleset\ntable inet berth {{\n\
         chain input {{ type filter hook input priority 0; policy accept;\n{input}\n}}\n\
         chain output {{ type filter hook output priority 0; policy accept;\n{output}\n}}\n}}\n"
    )
}
