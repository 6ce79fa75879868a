use serde_json::{Value, json};

use super::super::Reports;
use super::super::machine::Machine;
use super::super::settings::{ALL, Settings};
use super::page;

const GOLDEN: &str = include_str!("golden.md");

fn round(name: &str, offered: Option<u64>, count: u64) -> Value {
    json!({
        "mode": "closed loop", "in_flight": if offered.is_none() { Some(256) } else { None },
        "offered_per_second": offered, "seconds": 2.0,
        "latency": { name: { "count": count, "p50_us": 1_500, "p99_us": 9_000, "p999_us": 20_000 } },
        "failed": {},
        "cost": [
            { "name": "one", "cpu_percent": 30.0, "resident_bytes": 104_857_600 },
            { "name": "two", "cpu_percent": 90.0, "resident_bytes": 209_715_200 },
            { "name": "client", "cpu_percent": 50.0, "resident_bytes": 52_428_800 },
        ],
    })
}

fn report(name: &str, version: &str, count: u64) -> Value {
    json!({
        "version": version,
        "correctness": {
            "holds": true, "faults": [], "allocations": 7, "releases": 3, "duplicates": 0, "statics_kept": 2,
            "statics_recreated": 2, "audit": { "listed_twice": 0, "lost": 0, "left_over": 0 },
        },
        "rounds": [round(name, None, count), round(name, Some(2_000), 4_000)],
    })
}

fn reports() -> Reports {
    let latency = |p50: u64| json!({ "count": 600, "p50_us": p50, "p99_us": 3 * p50 });
    let plugin = |name: &str, p50: u64| {
        json!({ "name": name, "add": latency(p50), "del": latency(p50 / 2), "failed": {},
                "resident_bytes": 4_900_000, "cpu_us": 1_700 })
    };
    Reports {
        one_replica: vec![report("ADD", "0.1.0", 42_000)],
        three_replicas: vec![report("ADD", "0.1.0", 30_000)],
        etcd: vec![report("txn", "3.5.1", 10_000)],
        churn: vec![report("ADD", "0.1.0", 2_000)],
        plugins: Some(json!({
            "version": "0.1.0", "addresses": 16_382, "missing": ["host-local: it is not there"],
            "levels": [{ "level": "0", "plugins": [plugin("berth-cni", 2_400)] },
                       { "level": "full", "plugins": [plugin("berth-cni", 2_600)] }],
        })),
        host_local: None,
        apply: Some(
            json!({ "live allocations": 1_000_000.0, "bind, round 1: per second": 310_000.5,
            "release, round 1: per second": 299_000.0, "freeze, longest of five: ms": 0.25 }),
        ),
        restart: Some(json!({
            "live": 1_000_000, "fill": { "allocations": 1_000_000, "duplicates": 0, "per_second": 20_000.0, "nodes": 5_000 },
            "starts": [{ "after": "kill -9", "end_seconds": 0.5, "ready_seconds": 4.25, "bound": 1_000_000,
                         "resident_peak_bytes": 1_048_576_000 }],
        })),
        catch_up: None,
        failover: Some(json!({
            "killed": [{ "cycles": [{ "wait_ms": 850.0 }], "failed": {}, "duplicates": 0 }],
            "asked": { "cycles": [{ "wait_ms": 20.0 }], "failed": {}, "duplicates": 0 },
        })),
    }
}

fn settings() -> Settings {
    Settings {
        parts: ALL.to_vec(),
        rounds: 3,
        in_flight: "256".to_owned(),
        open_loop: "2000".to_owned(),
        seconds: 8,
        warm_up_seconds: 2,
        churn_seconds: 60,
        plugin_rounds: 3,
        plugin_calls: 200,
        plugin_seconds: 3,
        live: 1_000_000,
        failovers: 25,
        windows: 2,
        etcd: true,
    }
}

fn machine() -> Machine {
    Machine {
        cores: 2,
        model: "Some Processor".to_owned(),
        memory_gib: 16,
        kernel: "6.1.0".to_owned(),
        file_system: "ext4".to_owned(),
        device: "/dev/vda".to_owned(),
        sync_p50_ms: 0.5,
        sync_p99_ms: 1.25,
        compiler: "rustc 1.95.0".to_owned(),
        commit: String::new(),
        date: "2026-01-31".to_owned(),
    }
}

/// Promise: the page is this one, to the letter; CPU and memory are by process, the busiest first.
#[test]
fn the_page_is_golden() {
    let page = page(&reports(), &settings(), &machine()).markdown("What was measured");
    if std::env::var_os("BERTH_REGENERATE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bench/sections/golden.md");
        std::fs::write(path, &page).expect("written");
    }
    assert_eq!(page, GOLDEN);
    assert!(page.contains("| 90 + 30 | 50 | 200 + 100 |"));
}

/// Promise: what was not measured has no table, and what was wrong cannot be missed.
#[test]
fn only_what_was_measured_is_shown() {
    let nothing = page(&Reports::default(), &settings(), &machine()).text();
    for title in [
        "etcd",
        "Churn",
        "plugins",
        "ledger alone",
        "Restart with",
        "WRONG",
    ] {
        assert!(!nothing.contains(title), "{title}: {nothing}");
    }
    let mut wrong = reports();
    wrong.one_replica[0]["correctness"]["faults"] = json!(["10.0.0.1 twice"]);
    let wrong = page(&wrong, &settings(), &machine()).text();
    assert!(wrong.contains("WRONG") && wrong.contains("10.0.0.1 twice"));
}
