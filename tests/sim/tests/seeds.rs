//! The simulation itself: it repeats itself, it holds, it does something, and its README says what is true.

use berth_sim::plan::Plan;
use berth_sim::planted::{self, ROWS};
use berth_sim::run::{Ground, Report};
use berth_sim::{swarm, table};
use std::process::Command;

/// Far fewer than the stage of `cargo xtask test` runs: this is an unoptimised build.
const MOMENTS: u64 = 500;

fn plan(seed: u64) -> Plan {
    Plan {
        moments: MOMENTS,
        ..Plan::drawn(seed)
    }
}

fn held(ground: &Ground, seed: u64, plan: &Plan) -> Report {
    let outcome = swarm::one(ground, seed, plan, false);
    outcome
        .result
        .unwrap_or_else(|broken| panic!("seed {seed}: {broken}"))
}

/// Promise: some seeds hold, and they do what they are for.
#[test]
fn a_few_seeds_hold() {
    let ground = Ground::new().expect("a store");
    let reports: Vec<Report> = (1..=4)
        .map(|seed| held(&ground, seed, &plan(seed)))
        .collect();
    let events: u64 = reports.iter().map(|report| report.events).sum();
    assert!(events > 4_000, "{events} events");
    assert!(
        reports.iter().all(|report| report.checks > 100),
        "{reports:?}"
    );
}

/// Promise: a seed is the whole bug report: the same one gives the same run in another process, and another one another run.
#[test]
fn two_processes_make_the_same_run() {
    let trace = |seed: u64| {
        let output = Command::new(env!("CARGO_BIN_EXE_berth-sim"))
            .args(["--seed", &seed.to_string(), "--moments", "300"])
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let trace = text.split("trace ").nth(1).and_then(|rest| rest.get(..16));
        trace
            .map(str::to_owned)
            .unwrap_or_else(|| panic!("no trace in {text}"))
    };
    let first = trace(5);
    assert_eq!(first, trace(5));
    assert_ne!(first, trace(6), "the hash sees nothing");
}

/// Promise: bugs of each part that is planted in are found, even in an unoptimised build; all of them by
/// `cargo xtask test`'s own stage.
#[test]
fn planted_bugs_are_found() {
    let ground = Ground::new().expect("a store");
    for name in ["ack-before-durable", "del-by-name", "stale-read"] {
        let row = ROWS.iter().find(|row| row.name == name).expect("a row");
        let found = planted::find(&ground, row, 20, MOMENTS);
        assert!(found.is_some(), "{name} was not found in 20 seeds");
    }
    // Negative control: the same seeds without a bug hold.
    held(&ground, 1, &plan(1));
}

/// Promise: the README's table names every planted bug, and each was found.
#[test]
fn the_table_is_whole() {
    let readme = std::fs::read_to_string(table::path()).expect("the README");
    assert_eq!(table::names(&readme), table::all());
    assert!(table::all().len() >= 12);
}

/// Promise (negative control): a bug that was not found does not count as one that was.
#[test]
fn what_was_not_found_is_seen() {
    let rows: Vec<_> = ROWS.iter().map(|row| (*row, None)).collect();
    let text =
        table::written("<!-- planted: begin --><!-- planted: end -->", &rows).expect("a place");
    assert_eq!(table::names(&text), Vec::<String>::new());
}
