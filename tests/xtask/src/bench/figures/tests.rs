use serde_json::{Value, json};

use super::super::Reports;
use super::{all_correct, faults, figures};

fn report(count: u64, p99_us: u64, holds: bool) -> Value {
    json!({
        "version": "3.5.1",
        "correctness": { "holds": holds, "faults": if holds { vec![] } else { vec!["10.0.0.1 twice"] } },
        "rounds": [{
            "mode": "closed loop", "in_flight": 256, "offered_per_second": null, "seconds": 2.0,
            "latency": { "X": { "count": count, "p50_us": 500, "p99_us": p99_us, "p999_us": 9000 } },
            "failed": { "X: busy": 3 },
            "cost": [],
        }],
    })
}

fn plugin(name: &str, p50_us: u64, resident_bytes: u64, failed: &Value) -> Value {
    json!({ "name": name, "add": { "p50_us": p50_us }, "resident_bytes": resident_bytes, "failed": failed })
}

fn plugins(full_p50_us: u64, resident_bytes: u64, failed: &Value) -> Value {
    let level = |level: &str, p50_us: u64, peer_us: u64| {
        let ours = plugin("berth-cni", p50_us, resident_bytes, failed);
        json!({ "level": level, "plugins": [ours, plugin("host-local", peer_us, 9_000_000, &json!({}))] })
    };
    json!({ "levels": [level("0", 2_000, 15_000), level("full", full_p50_us, 155_000)] })
}

fn apply(live: u64, rate: f64, pause_ms: f64) -> Value {
    json!({
        "live allocations": live,
        "bind, filling from empty: per second": 1.0,
        "bind, round 1: per second": rate,
        "release, round 1: per second": rate,
        "freeze, longest of five: ms": 0.1,
        "longest entry beside a frozen copy: ms": pause_ms,
        "longest entry after it was dropped: ms": 0.1,
    })
}

fn restart(live: u64, seconds: f64, bound: u64) -> Value {
    json!({
        "live": live, "fill": { "allocations": live, "duplicates": 0 },
        "starts": [{ "after": "kill -9", "ready_seconds": seconds, "bound": bound }],
    })
}

fn reports(holds: bool) -> Reports {
    Reports {
        one_replica: vec![report(50_000, 1_000, holds)],
        three_replicas: [10_000, 50_000, 40_000]
            .map(|count| report(count, 4_000, true))
            .into(),
        etcd: vec![report(10_000, 10_000, true)],
        plugins: Some(plugins(2_500, 4_000_000, &json!({}))),
        apply: Some(apply(1_000_000, 310_000.0, 2.0)),
        restart: Some(restart(1_000_000, 4.5, 1_000_000)),
        ..Reports::default()
    }
}

fn reached(reports: &Reports) -> Vec<bool> {
    figures(reports)
        .iter()
        .map(|figure| figure.reached)
        .collect()
}

/// Promise: figures follow from the medians and from the worst of what must always hold.
#[test]
fn figures_follow_from_what_was_measured() {
    // 4 times the rate, 0.4 times the p99, 25,000/s on one replica; three of the plugin, three of the ledger, one restart.
    let good = reports(true);
    assert_eq!(reached(&good), [true; 11]);
    assert!(all_correct(&good));
}

/// Promise (negative control): each figure that is missed is not reached.
#[test]
fn what_is_missed_is_said() {
    let mut slow = reports(true);
    slow.etcd = vec![report(18_000, 7_000, true)];
    slow.one_replica = vec![report(30_000, 1_000, true)];
    slow.plugins = Some(plugins(5_100, 6_100_000, &json!({})));
    slow.apply = Some(apply(1_000_000, 299_000.0, 5.1));
    slow.restart = Some(restart(1_000_000, 5.1, 1_000_000));
    // Of etcd's rate the floor is reached, nothing else is.
    let mut expected = vec![false; 11];
    expected[0] = true;
    assert_eq!(reached(&slow), expected);
}

/// Promise: with fewer live allocations than the figures are for, none of them is called reached.
#[test]
fn a_small_run_is_not_judged() {
    let small = Reports {
        apply: Some(apply(100_000, 900_000.0, 0.1)),
        restart: Some(restart(100_000, 0.1, 100_000)),
        ..Reports::default()
    };
    assert_eq!(figures(&small), []);
}

/// Promise: a wrong address, a refused call of a plugin, and an allocation that did not come back are each seen.
#[test]
fn faults_are_not_overlooked() {
    assert_eq!(faults(&reports(false)), ["10.0.0.1 twice"]);
    let mut refused = reports(true);
    refused.plugins = Some(plugins(2_500, 4_000_000, &json!({ "no": 2 })));
    assert_eq!(faults(&refused).len(), 2, "one for each level");
    let mut lost = reports(true);
    lost.restart = Some(restart(1_000_000, 1.0, 999_999));
    assert!(faults(&lost)[0].contains("999999"));
    assert!(!all_correct(&lost));
    let mut silent = reports(true);
    silent.churn = vec![json!({ "correctness": null })];
    assert!(!all_correct(&silent));
}
