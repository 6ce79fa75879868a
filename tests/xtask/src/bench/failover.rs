//! Three replicas whose leader is killed, and asked to hand over, again and again under a few callers.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::page::Section;
use super::{Bench, berth};
use crate::error::Result;

/// A killed process is gone long before.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Kills the leader and starts it again, cycle by cycle; then asks for as many hand-overs.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Value> {
    let cycles = bench.settings.failovers;
    let (mut servers, all) = berth::start_three(bench.programs, bench.data)?;
    let mut killed = Vec::new();
    for cycle in 1..=cycles {
        let victims = servers.processes();
        let report = bench.load.hand_over(&mut servers, 1, &victims)?;
        let wait = report["cycles"][0]["wait_ms"].as_f64();
        bench.progress.say(&format!(
            "  kill -9 {cycle} of {cycles}: next ADD after {:.0} ms",
            wait.unwrap_or(f64::NAN)
        ));
        let gone = servers.forget_ended(GONE_WITHIN, bench.interrupt)?;
        for server in all.iter().filter(|server| gone.contains(&server.name)) {
            let mut command = server.again(bench.programs, &all);
            servers.start(&server.name, server.endpoint.clone(), &mut command)?;
        }
        killed.push(report);
    }
    let asked = bench.load.hand_over(&mut servers, cycles, &[])?;
    servers.end(Signal::TERM, GONE_WITHIN, bench.interrupt)?;
    Ok(json!({ "killed": killed, "asked": asked }))
}

/// What went wrong: an ADD that did not succeed in time, or an address given twice.
pub fn faults(report: &Value) -> Vec<String> {
    let killed = report["killed"].as_array().into_iter().flatten();
    let of = |report: &Value| {
        let failed = report["failed"].as_object();
        let failed = failed.is_none_or(|failed| !failed.is_empty());
        let is_wrong = failed || report["duplicates"].as_u64() != Some(0);
        is_wrong.then(|| format!("a change of the leader went wrong: {report}"))
    };
    killed
        .chain(std::iter::once(&report["asked"]))
        .filter_map(of)
        .collect()
}

/// What callers waited, ms, shortest first: by kill -9, and by hand-overs on request.
pub fn waits(report: &Value) -> [Vec<f64>; 2] {
    let of = |report: &Value| {
        let cycles = report["cycles"].as_array().cloned().unwrap_or_default();
        cycles
            .iter()
            .filter_map(|cycle| cycle["wait_ms"].as_f64())
            .collect::<Vec<_>>()
    };
    let killed = report["killed"].as_array().into_iter().flatten();
    let mut both = [killed.flat_map(of).collect(), of(&report["asked"])];
    both.iter_mut()
        .for_each(|waits: &mut Vec<f64>| waits.sort_by(f64::total_cmp));
    both
}

/// The smallest that so many percent do not exceed; no number of nothing.
pub fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let place = (sorted.len() * percent).div_ceil(100);
    sorted
        .get(place.saturating_sub(1))
        .copied()
        .unwrap_or(f64::NAN)
}

/// For people.
pub fn section(report: &Value) -> Section {
    let [killed, asked] = waits(report);
    let row = |name: &str, waits: &[f64]| {
        let shown = [50, 90, 99].map(|percent| format!("{:.0}", percentile(waits, percent)));
        let longest = format!("{:.0}", waits.last().copied().unwrap_or(f64::NAN));
        [
            vec![name.to_owned(), waits.len().to_string()],
            shown.to_vec(),
            vec![longest],
        ]
        .concat()
    };
    let rows = vec![
        row("kill -9 of the leader", &killed),
        row("hand-over on request", &asked),
    ];
    let head = ["", "times", "p50 ms", "p90 ms", "p99 ms", "longest ms"];
    Section::table("Change of the leader, three replicas", &head, rows).note(
        "Four callers with an ADD each under way, repeated by the client within its deadline. Killed: from the signal \
         to the next ADD that succeeded. On request: the slowest ADD around it. Timers as shipped.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{faults, percentile, waits};

    fn report(failed: Value, duplicates: u64) -> Value {
        let one =
            |wait: f64| json!({ "cycles": [{ "wait_ms": wait }], "failed": {}, "duplicates": 0 });
        json!({
            "killed": [one(900.0), one(700.0)],
            "asked": { "cycles": [{ "wait_ms": 20.0 }, { "wait_ms": 10.0 }], "failed": failed, "duplicates": duplicates },
        })
    }

    /// Promise: a failed ADD or a doubled address is seen; without one nothing is (the negative control).
    #[test]
    fn what_went_wrong_is_seen() {
        assert_eq!(faults(&report(json!({}), 0)), Vec::<String>::new());
        assert_eq!(faults(&report(json!({}), 1)).len(), 1);
        assert_eq!(faults(&report(json!({ "late": 1 }), 0)).len(), 1);
        assert_eq!(faults(&json!({})).len(), 1);
    }

    /// Promise: waits are sorted and told apart; the p99 of twenty is the longest.
    #[test]
    fn waits_are_counted() {
        let [killed, asked] = waits(&report(json!({}), 0));
        assert_eq!((killed, asked), (vec![700.0, 900.0], vec![10.0, 20.0]));
        let twenty: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(percentile(&twenty, 50), 10.0);
        assert_eq!(percentile(&twenty, 99), 20.0);
        assert!(percentile(&[], 50).is_nan());
    }
}
