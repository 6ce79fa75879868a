use serde_json::{Value, json};

use super::super::Reports;
use super::{Comparison, all_correct, median};

fn report(count: u64, p99_us: u64, holds: bool) -> Value {
    json!({
        "version": "3.5.1",
        "correctness": { "holds": holds, "faults": if holds { vec![] } else { vec!["10.0.0.1 twice"] } },
        "rounds": [{
            "mode": "closed loop", "in_flight": 256, "offered_per_second": null, "seconds": 2.0,
            "latency": { "X": { "count": count, "p50_us": 500, "p99_us": p99_us, "p999_us": 9000 } },
            "failed": { "X: busy": 3 },
            "cost": [
                { "name": "server-1", "cpu_percent": 50.0, "resident_bytes": 1_048_576 },
                { "name": "server-2", "cpu_percent": 30.0, "resident_bytes": 2_097_152 },
                { "name": "client", "cpu_percent": 99.0, "resident_bytes": 9_999_999 },
            ],
        }],
    })
}

fn reports(holds: bool) -> Reports {
    Reports {
        one_replica: vec![report(50_000, 1_000, holds)],
        three_replicas: [10_000, 50_000, 40_000]
            .map(|count| report(count, 4_000, true))
            .into(),
        etcd: vec![report(10_000, 10_000, true)],
        churn: Vec::new(),
    }
}

fn reached(comparison: &Comparison) -> Vec<bool> {
    comparison
        .figures()
        .iter()
        .map(|figure| figure.reached)
        .collect()
}

/// Promise: medians are compared, servers' costs are added up without the client's, and figures follow from both.
#[test]
fn figures_follow_from_medians() {
    let comparison = Comparison::new(&reports(true));
    let step = &comparison.three[0];
    assert_eq!((step.per_second, step.failed), (20_000.0, 9));
    assert_eq!((step.cpu_percent, step.resident_mib), (80.0, 3.0));
    // 4 times the rate, 0.4 times the p99, and 25,000/s on one replica.
    assert_eq!(reached(&comparison), [true, true, true, true]);
    let table = comparison.table();
    assert!(
        table.contains("4.00 x the rate") && table.contains("0.40 x the p99"),
        "{table}"
    );
    assert!(table.contains("etcd 3.5.1, three members"));
}

/// Promise (negative control): slower figures are not reached, and a wrong address is not overlooked.
#[test]
fn what_is_missed_is_said() {
    let mut slow = reports(false);
    slow.etcd = vec![report(18_000, 7_000, true)];
    slow.one_replica = vec![report(30_000, 1_000, false)];
    let comparison = Comparison::new(&slow);
    // 2.2 times the rate, 0.57 times the p99, 15,000/s.
    assert_eq!(reached(&comparison), [true, false, false, false]);
    assert!(comparison.table().contains("WRONG: 10.0.0.1 twice"));
    assert!(!all_correct(&slow) && all_correct(&reports(true)));
}

/// Promise: the median of an even number is between the middle two.
#[test]
fn medians() {
    assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
}
