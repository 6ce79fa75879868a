//! A replica with many live allocations takes its snapshots under load, and then gets a second member.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::page::Section;
use super::steps::median;
use super::{Bench, berth};
use crate::error::{Error, Result};

/// Arrivals per second under which snapshots are taken.
const OFFERED: u32 = 2_000;
/// A window is measured for so long; most have no snapshot in them.
pub(super) const WINDOW_SECONDS: u32 = 4;
/// A member that has not caught up within this is broken.
const LIMIT: Duration = Duration::from_secs(5 * 60);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Fills one replica, looks at windows of an open loop, then lets a member join.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Value> {
    let live = bench.settings.live;
    let (mut servers, server, second) = berth::start_alone_with_room(bench.programs, bench.data)?;
    let fill = bench.load.fill(&mut servers, live)?;
    let mut windows = Vec::new();
    for number in 1..=bench.settings.windows {
        let before = Snapshots::of(server.metrics())?;
        let report = bench.load.offered(&mut servers, OFFERED, WINDOW_SECONDS)?;
        let after = Snapshots::of(server.metrics())?;
        // One kind of request in one round.
        let latency = report["rounds"][0]["latency"].as_object();
        let latency = latency.and_then(|kinds| kinds.values().next());
        let p99_us = latency.and_then(|latency| latency["p99_us"].as_f64());
        let taken = after.index > before.index;
        bench.progress.say(&format!(
            "  window {number} of {}: p99 {:.2} ms{}",
            bench.settings.windows,
            p99_us.unwrap_or(f64::NAN) / 1_000.0,
            if taken { ", with a snapshot" } else { "" }
        ));
        windows.push(json!({
            "p99_us": p99_us,
            "snapshot_seconds": taken.then_some(after.seconds),
            "correctness": report["correctness"],
        }));
    }
    let begun = Instant::now();
    let mut command = second.joining(bench.programs, &server);
    servers.start(&second.name, second.endpoint.clone(), &mut command)?;
    let member = caught_up(bench, &server.endpoint, &second.name, begun)?;
    servers.end(Signal::TERM, LIMIT, bench.interrupt)?;
    Ok(
        json!({ "live": live, "fill": fill, "offered": OFFERED, "windows": windows, "member": member }),
    )
}

/// Until the new member has everything that there was when it began, and until it has its vote, which needs the history too.
fn caught_up(bench: &Bench<'_>, endpoint: &str, name: &str, begun: Instant) -> Result<Value> {
    let there = members(bench, endpoint)?;
    let wanted = largest(&there, "matched_index");
    let mut ledger_seconds = None;
    let all_seconds = bench.interrupt.wait_for("the new member", LIMIT, || {
        std::thread::sleep(LOOK_EVERY);
        // While the membership changes nobody may answer for a moment.
        let now = members(bench, endpoint).ok()?;
        let member = now["members"]
            .as_array()?
            .iter()
            .find(|member| member["name"] == name)?;
        let seconds = begun.elapsed().as_secs_f64();
        if member["matched_index"].as_u64()? >= wanted {
            ledger_seconds.get_or_insert(seconds);
        }
        (member["role"] == "voter" && member["history_revision"].is_u64()).then_some(seconds)
    })?;
    bench.progress.say(&format!(
        "  a new member has the ledger after {:.2} s, the history and its vote after {all_seconds:.2} s",
        ledger_seconds.unwrap_or(all_seconds)
    ));
    Ok(json!({ "ledger_seconds": ledger_seconds, "voter_seconds": all_seconds }))
}

fn largest(members: &Value, key: &str) -> u64 {
    let members = members["members"].as_array().into_iter().flatten();
    members
        .filter_map(|member| member[key].as_u64())
        .max()
        .unwrap_or(0)
}

fn members(bench: &Bench<'_>, endpoint: &str) -> Result<Value> {
    let mut command = Command::new(&bench.programs.berthctl);
    command.args([
        "-o",
        "json",
        "--timeout",
        "2s",
        "member",
        "list",
        "--endpoint",
        endpoint,
    ]);
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| Error::system("cannot run berthctl", &error))?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::new(format!("berthctl's answer is no JSON: {error}")))
}

/// What a replica's metrics say of its newest snapshot.
struct Snapshots {
    index: f64,
    seconds: f64,
}

// === impl Snapshots ===

impl Snapshots {
    fn of(metrics: SocketAddr) -> Result<Self> {
        let failed = |error| Error::system("cannot read the metrics", &error);
        let mut stream = TcpStream::connect(metrics).map_err(failed)?;
        let request =
            format!("GET /metrics HTTP/1.1\r\nHost: {metrics}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).map_err(failed)?;
        let mut text = String::new();
        stream.read_to_string(&mut text).map_err(failed)?;
        let line = |begin: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(begin));
            let number = line.and_then(|rest| rest.trim().parse::<f64>().ok());
            number.ok_or_else(|| Error::new(format!("the metrics have no {begin}")))
        };
        Ok(Self {
            index: line("berth_raft{number=\"snapshot_index\"}")?,
            seconds: line("berth_raft_snapshot_seconds")?,
        })
    }
}

/// What went wrong.
pub fn faults(report: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if report["fill"]["allocations"] != report["live"] || report["fill"]["duplicates"] != 0 {
        faults.push(format!("filling went wrong: {}", report["fill"]));
    }
    for window in report["windows"].as_array().into_iter().flatten() {
        if window["correctness"]["holds"] != Value::Bool(true) {
            faults.push(format!(
                "a window was not found correct: {}",
                window["correctness"]
            ));
        }
    }
    if !report["member"]["voter_seconds"].is_f64() {
        faults.push("the new member did not get its vote".into());
    }
    faults
}

/// Medians over the windows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beside {
    /// p99 without a snapshot, ms.
    pub calm_ms: f64,
    /// p99 of windows with one, ms.
    pub beside_ms: f64,
    /// The longest snapshot.
    pub snapshot_seconds: f64,
}

/// None if no window, or every one, had a snapshot in it.
pub fn beside(report: &Value) -> Option<Beside> {
    let windows = report["windows"].as_array()?;
    let (with, without): (Vec<&Value>, Vec<&Value>) = windows
        .iter()
        .partition(|window| window["snapshot_seconds"].is_f64());
    let p99 = |windows: &[&Value]| {
        let all = windows
            .iter()
            .filter_map(|window| window["p99_us"].as_f64());
        median(all.collect()) / 1_000.0
    };
    let longest = with
        .iter()
        .filter_map(|window| window["snapshot_seconds"].as_f64());
    let found = Beside {
        calm_ms: p99(&without),
        beside_ms: p99(&with),
        snapshot_seconds: longest.fold(0.0, f64::max),
    };
    (!with.is_empty() && !without.is_empty()).then_some(found)
}

/// For people.
pub fn section(report: &Value) -> Section {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let windows = report["windows"].as_array().into_iter().flatten().zip(1..);
    let mut rows: Vec<Vec<String>> = windows
        .map(|(window, number_of)| {
            let snapshot = window["snapshot_seconds"].as_f64();
            vec![
                format!("window {number_of}"),
                format!("{:.2}", number(&window["p99_us"]) / 1_000.0),
                snapshot.map_or("-".to_owned(), |seconds| format!("{seconds:.2}")),
                "-".to_owned(),
            ]
        })
        .collect();
    for (what, key) in [
        ("a new member has the ledger", "ledger_seconds"),
        ("and the history, and its vote", "voter_seconds"),
    ] {
        let seconds = format!("{:.2}", number(&report["member"][key]));
        rows.push(vec![
            what.to_owned(),
            "-".to_owned(),
            "-".to_owned(),
            seconds,
        ]);
    }
    let title = format!(
        "Snapshots and a new member, {} live allocations",
        report["live"]
    );
    let head = ["", "p99 ms", "snapshot s", "after s"];
    Section::table(title, &head, rows).note(format!(
        "One replica under {} ADDs/s offered, windows of {WINDOW_SECONDS} s: with a snapshot in them or not, as it comes. \
         A snapshot counts from its freezing until its last chunk was handed to the log's disk. Then a second replica joins with an \
         empty directory, on the same machine; its time is from exec.",
        report["offered"]
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{beside, faults};

    fn report(snapshots: &[Option<f64>], holds: bool) -> Value {
        let windows: Vec<Value> = snapshots
            .iter()
            .map(|seconds| {
                let p99_us = if seconds.is_some() { 9_000.0 } else { 6_000.0 };
                json!({ "p99_us": p99_us, "snapshot_seconds": seconds, "correctness": { "holds": holds } })
            })
            .collect();
        json!({
            "live": 1000, "fill": { "allocations": 1000, "duplicates": 0 },
            "windows": windows, "member": { "ledger_seconds": 3.0, "voter_seconds": 5.5 },
        })
    }

    /// Promise: windows with a snapshot are compared with those without one; without both there is no figure.
    #[test]
    fn windows_are_told_apart() {
        let found = beside(&report(&[None, Some(1.5), None, Some(1.2)], true));
        let found = found.expect("both kinds are there");
        assert_eq!(
            (found.calm_ms, found.beside_ms, found.snapshot_seconds),
            (6.0, 9.0, 1.5)
        );
        assert_eq!(beside(&report(&[None, None], true)), None);
        assert_eq!(beside(&report(&[Some(1.0)], true)), None);
    }

    /// Promise: a wrong address is seen; without one nothing is (the negative control).
    #[test]
    fn what_went_wrong_is_seen() {
        assert_eq!(faults(&report(&[None], true)), Vec::<String>::new());
        assert_eq!(faults(&report(&[None], false)).len(), 1);
        assert!(!faults(&json!({})).is_empty());
    }
}
