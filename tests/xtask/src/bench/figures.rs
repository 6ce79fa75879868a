//! The figures to reach, out of everything that was measured.

use serde_json::{Value, json};

use super::page::Section;
use super::settings::{FAILOVERS_JUDGED, LIVE_JUDGED};
use super::steps::{Step, median, steps};
use super::{Reports, catch_up, failover, restart};

/// Transactions per second of Berth to etcd's, 256 in flight: less is a failure of the design.
const RATIO_FLOOR: f64 = 2.2;
/// See [`RATIO_FLOOR`]; what is wanted.
const RATIO_GOAL: f64 = 3.0;
/// Berth's p99 to etcd's, 256 in flight: at most.
const P99_SHARE_MOST: f64 = 0.5;
/// One replica, 256 in flight: durable allocations per second.
const ONE_REPLICA_PER_SECOND: f64 = 20_000.0;
/// berth-cni ADD, the whole process.
const PLUGIN_P50_MS: f64 = 5.0;
/// berth-cni: a million bytes each.
const PLUGIN_RESIDENT_MB: f64 = 6.0;
/// Its p50 of a full vSwitch to that of an empty one: more than this is not flat, less is noise.
const PLUGIN_FLAT_MOST: f64 = 1.5;
/// The ledger alone.
const APPLIED_PER_SECOND: f64 = 300_000.0;
/// Any one entry, beside a snapshot.
const PAUSE_MS: f64 = 5.0;
/// From exec to serving.
const RESTART_SECONDS: f64 = 5.0;

/// A million allocations, from freezing to staged.
const SNAPSHOT_SECONDS: f64 = 2.0;
/// p99 of ADDs beside one.
const BESIDE_MOST: f64 = 2.0;
/// From exec; the history's transfer is apart.
const CATCH_UP_SECONDS: f64 = 20.0;
/// From kill -9 of the leader to the next ADD that succeeded, p99.
const KILLED_MS: f64 = 1_500.0;
/// The slowest ADD around a hand-over on request, p99.
const ASKED_MS: f64 = 200.0;

/// A figure, what was wanted, and whether it was reached.
#[derive(Debug, PartialEq)]
pub struct Figure {
    pub what: String,
    pub value: f64,
    pub wanted: String,
    pub reached: bool,
}

/// Whether all reports say that everything was right.
pub fn all_correct(reports: &Reports) -> bool {
    faults(reports).is_empty()
}

/// What was wrong, in words.
pub fn faults(reports: &Reports) -> Vec<String> {
    let loads = reports
        .one_replica
        .iter()
        .chain(&reports.three_replicas)
        .chain(&reports.churn);
    let mut faults = Vec::new();
    for report in loads {
        let correctness = &report["correctness"];
        let said = correctness["faults"].as_array().into_iter().flatten();
        faults.extend(said.filter_map(Value::as_str).map(str::to_owned));
        if correctness["holds"] != Value::Bool(true) && faults.is_empty() {
            faults.push("a load was not found correct".to_owned());
        }
    }
    for (level, plugin) in plugins(reports.plugins.as_ref()) {
        let failed = plugin["failed"].as_object().into_iter().flatten();
        faults.extend(failed.map(|(why, count)| {
            let name = plugin["name"].as_str().unwrap_or_default();
            format!("{name}, {level} in use: {count} failed: {why}")
        }));
    }
    faults.extend(
        reports
            .restart
            .as_ref()
            .into_iter()
            .flat_map(restart::faults),
    );
    let failover = reports.failover.as_ref();
    faults.extend(failover.into_iter().flat_map(failover::faults));
    let catch_up = reports.catch_up.as_ref();
    faults.extend(catch_up.into_iter().flat_map(catch_up::faults));
    faults
}

/// Everything that was measured and is to be reached.
pub fn figures(reports: &Reports) -> Vec<Figure> {
    let mut figures = of_systems(reports);
    figures.extend(of_plugins(reports.plugins.as_ref()));
    figures.extend(reports.apply.as_ref().into_iter().flat_map(of_apply));
    figures.extend(reports.restart.as_ref().into_iter().flat_map(of_restart));
    figures.extend(reports.failover.as_ref().into_iter().flat_map(of_failover));
    figures.extend(reports.catch_up.as_ref().into_iter().flat_map(of_catch_up));
    figures
}

/// For people.
pub fn section(figures: &[Figure]) -> Section {
    let row = |figure: &Figure| {
        let mark = if figure.reached {
            "reached"
        } else {
            "NOT reached"
        };
        let value = format!("{:.2}", figure.value);
        vec![
            figure.what.clone(),
            value,
            figure.wanted.clone(),
            mark.to_owned(),
        ]
    };
    let rows = figures.iter().map(row).collect();
    let section = Section::table("Figures to reach", &["", "measured", "wanted", ""], rows);
    section.note(format!(
        "Apply and restart are judged with {LIVE_JUDGED} live allocations only, changes of the leader with {FAILOVERS_JUDGED} at least; what is not listed was not measured."
    ))
}

/// For programs.
pub fn document(figures: &[Figure]) -> Value {
    let figure = |figure: &Figure| json!({ "what": figure.what, "value": figure.value, "wanted": figure.wanted, "reached": figure.reached });
    figures.iter().map(figure).collect()
}

/// Steps of the same name.
pub fn pairs<'a>(one: &'a [Step], other: &'a [Step]) -> impl Iterator<Item = (&'a Step, &'a Step)> {
    one.iter().filter_map(move |step| {
        let same = other.iter().find(|other| other.name == step.name)?;
        Some((step, same))
    })
}

/// Every plugin at every level.
pub fn plugins(report: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let levels = report.and_then(|report| report["levels"].as_array());
    levels.into_iter().flatten().flat_map(|level| {
        let name = level["level"].as_str().unwrap_or_default();
        let plugins = level["plugins"].as_array().into_iter().flatten();
        plugins.map(move |plugin| (name, plugin))
    })
}

fn at_least(what: impl Into<String>, value: f64, least: f64) -> Figure {
    let (what, wanted) = (what.into(), format!("at least {least}"));
    Figure {
        what,
        value,
        wanted,
        reached: value >= least,
    }
}

fn at_most(what: impl Into<String>, value: f64, most: f64) -> Figure {
    let (what, wanted) = (what.into(), format!("at most {most}"));
    Figure {
        what,
        value,
        wanted,
        // What could not be measured is no number, and not reached.
        reached: value <= most,
    }
}

fn of_systems(reports: &Reports) -> Vec<Figure> {
    let (one, three) = (steps(&reports.one_replica), steps(&reports.three_replicas));
    let etcd = steps(&reports.etcd);
    let mut figures = Vec::new();
    for (berth, etcd) in pairs(&three, &etcd) {
        let ratio = berth.per_second / etcd.per_second;
        let share = berth.p99_ms / etcd.p99_ms;
        match berth.in_flight {
            Some(1) => figures.push(at_least("1 in flight: rate to etcd's", ratio, 1.0)),
            Some(256) => figures.extend([
                at_least("256 in flight: rate to etcd's, floor", ratio, RATIO_FLOOR),
                at_least("256 in flight: rate to etcd's, goal", ratio, RATIO_GOAL),
                at_most("256 in flight: p99 to etcd's", share, P99_SHARE_MOST),
            ]),
            _ => {}
        }
    }
    let step = one.iter().find(|step| step.in_flight == Some(256));
    let what = "one replica, 256 in flight: durable ADDs per second";
    figures.extend(step.map(|step| at_least(what, step.per_second, ONE_REPLICA_PER_SECOND)));
    figures
}

fn of_plugins(report: Option<&Value>) -> Vec<Figure> {
    let ours = plugins(report).filter(|(_, plugin)| plugin["name"] == "berth-cni");
    let ours: Vec<(&str, &Value)> = ours.collect();
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let p50 = |plugin: &Value| number(&plugin["add"]["p50_us"]) / 1_000.0;
    let (Some(first), Some(last)) = (ours.first(), ours.last()) else {
        return Vec::new();
    };
    let worst = |read: &dyn Fn(&Value) -> f64| {
        ours.iter()
            .map(|(_, plugin)| read(plugin))
            .fold(0.0, f64::max)
    };
    let resident = worst(&|plugin| number(&plugin["resident_bytes"]) / 1e6);
    let flat = format!(
        "berth-cni ADD: p50 with {} in use to p50 with {}",
        last.0, first.0
    );
    vec![
        at_most(
            "berth-cni ADD, whole process: highest p50, ms",
            worst(&p50),
            PLUGIN_P50_MS,
        ),
        at_most(flat, p50(last.1) / p50(first.1), PLUGIN_FLAT_MOST),
        at_most("berth-cni: resident, MB", resident, PLUGIN_RESIDENT_MB),
    ]
}

fn of_apply(report: &Value) -> Vec<Figure> {
    let number = |key: &str| report[key].as_f64().unwrap_or(f64::NAN);
    if number("live allocations") < LIVE_JUDGED as f64 {
        return Vec::new();
    }
    let rounds = |verb: &str| {
        let all = report.as_object().into_iter().flatten();
        let of_verb = all.filter(|(key, _)| key.starts_with(&format!("{verb}, round")));
        median(of_verb.filter_map(|(_, value)| value.as_f64()).collect())
    };
    let pauses = [
        "freeze, longest of five: ms",
        "longest entry beside a frozen copy: ms",
        "longest entry after it was dropped: ms",
    ];
    let pause = pauses.map(number).into_iter().fold(0.0, f64::max);
    vec![
        at_least(
            "ledger: binds per second",
            rounds("bind"),
            APPLIED_PER_SECOND,
        ),
        at_least(
            "ledger: releases per second",
            rounds("release"),
            APPLIED_PER_SECOND,
        ),
        at_most(
            "ledger: longest pause beside a snapshot, ms",
            pause,
            PAUSE_MS,
        ),
    ]
}

fn of_restart(report: &Value) -> Vec<Figure> {
    if report["live"].as_u64().unwrap_or(0) < LIVE_JUDGED {
        return Vec::new();
    }
    let starts = report["starts"].as_array().into_iter().flatten();
    let figure = |start: &Value| {
        let after = start["after"].as_str().unwrap_or_default();
        let seconds = start["ready_seconds"].as_f64().unwrap_or(f64::NAN);
        at_most(
            format!("restart after {after}: seconds to ready"),
            seconds,
            RESTART_SECONDS,
        )
    };
    starts.map(figure).collect()
}

fn of_failover(report: &Value) -> Vec<Figure> {
    let [killed, asked] = failover::waits(report);
    if killed.len() < FAILOVERS_JUDGED as usize {
        return Vec::new();
    }
    let p99 = |waits: &[f64]| failover::percentile(waits, 99);
    vec![
        at_most(
            "kill -9 of the leader: p99 to the next ADD, ms",
            p99(&killed),
            KILLED_MS,
        ),
        at_most(
            "hand-over on request: p99 of the slowest ADD, ms",
            p99(&asked),
            ASKED_MS,
        ),
    ]
}

fn of_catch_up(report: &Value) -> Vec<Figure> {
    if report["live"].as_u64().unwrap_or(0) < LIVE_JUDGED {
        return Vec::new();
    }
    let mut figures = Vec::new();
    if let Some(beside) = catch_up::beside(report) {
        figures.push(at_most(
            "a ledger snapshot under load: seconds",
            beside.snapshot_seconds,
            SNAPSHOT_SECONDS,
        ));
        figures.push(at_most(
            "p99 of ADDs beside a snapshot to that without one",
            beside.beside_ms / beside.calm_ms,
            BESIDE_MOST,
        ));
    }
    let ledger = report["member"]["ledger_seconds"].as_f64();
    figures.push(at_most(
        "a new member has the ledger: seconds",
        ledger.unwrap_or(f64::NAN),
        CATCH_UP_SECONDS,
    ));
    figures
}

#[cfg(test)]
mod tests;
