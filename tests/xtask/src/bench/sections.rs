//! Everything that was measured, as sections for people.

use serde_json::Value;

use super::figures::{self, faults, pairs, plugins};
use super::machine::Machine;
use super::page::{Page, Section};
use super::settings::Settings;
use super::steps::{Step, steps};
use super::{Reports, berth, catch_up, etcd, failover, restart};

const STEP_HEAD: [&str; 9] = [
    "",
    "done/s",
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "failed",
    "CPU % by server",
    "client",
    "MiB by server",
];

/// The whole page.
pub fn page(reports: &Reports, settings: &Settings, machine: &Machine) -> Page {
    let versions = versions(reports);
    let mut sections = vec![machine.section(&versions)];
    sections.push(figures::section(&figures::figures(reports)));
    sections.extend(systems(reports, settings));
    let names = ["one replica", "three replicas"];
    for (name, report) in names.iter().zip(&reports.churn) {
        let title = format!("Churn, {name}");
        let section = of_steps(&title, &steps(std::slice::from_ref(report)));
        sections.push(section.note(correctness(report)));
    }
    sections.extend(reports.plugins.as_ref().map(of_plugins));
    sections.extend(reports.apply.as_ref().map(of_apply));
    sections.extend(reports.restart.as_ref().map(restart::section));
    sections.extend(reports.failover.as_ref().map(failover::section));
    sections.extend(reports.catch_up.as_ref().map(catch_up::section));
    let faults = faults(reports);
    if !faults.is_empty() {
        let rows = faults.into_iter().map(|fault| vec![fault]).collect();
        sections.push(Section::table("WRONG", &["what"], rows));
    }
    Page { sections }
}

fn versions(reports: &Reports) -> Vec<(String, String)> {
    let of = |report: Option<&Value>| {
        let version = report.and_then(|report| report["version"].as_str());
        version.map(str::to_owned)
    };
    let berth = [
        reports.three_replicas.first(),
        reports.churn.first(),
        reports.plugins.as_ref(),
    ];
    let versions = [
        ("berthd", berth.into_iter().find_map(of)),
        ("etcd", of(reports.etcd.first())),
        ("host-local", reports.host_local.clone()),
    ];
    let known = versions
        .into_iter()
        .filter_map(|(name, version)| Some((name.to_owned(), version?)));
    known.collect()
}

fn systems(reports: &Reports, settings: &Settings) -> Vec<Section> {
    let mut sections = Vec::new();
    if reports.one_replica.is_empty() {
        return sections;
    }
    let three = steps(&reports.three_replicas);
    let etcd = steps(&reports.etcd);
    sections.push(of_steps("Berth, one replica", &steps(&reports.one_replica)));
    sections.push(of_steps("Berth, three replicas", &three));
    let how = format!(
        "Medians of {} rounds of {} s each; the systems take turns, and only one runs at a time. CPU is per cent of one core, \
         servers by how busy they are; MiB are resident at the end of the step, in the same order.",
        settings.rounds, settings.seconds
    );
    let mut durable = format!("Durable: Berth: {}.", berth::DURABLE);
    if !etcd.is_empty() {
        sections.push(of_steps("etcd, three members", &etcd));
        let row = |(berth, etcd): (&Step, &Step)| {
            let (rate, p99) = (
                berth.per_second / etcd.per_second,
                berth.p99_ms / etcd.p99_ms,
            );
            vec![
                berth.name.clone(),
                format!("{rate:.2}"),
                format!("{p99:.2}"),
            ]
        };
        let rows = pairs(&three, &etcd).map(row).collect();
        let head = ["", "x the rate", "x the p99"];
        sections.push(Section::table(
            "Berth to etcd, three replicas each",
            &head,
            rows,
        ));
        durable += &format!(" etcd: {}.", etcd::DURABLE);
    }
    let last = sections.pop();
    sections.extend(last.map(|section| section.note(how).note(durable)));
    sections
}

fn of_steps(title: &str, steps: &[Step]) -> Section {
    let joined = |numbers: Vec<f64>| {
        let numbers: Vec<String> = numbers
            .iter()
            .map(|number| format!("{number:.0}"))
            .collect();
        numbers.join(" + ")
    };
    let row = |step: &Step| {
        vec![
            step.name.clone(),
            format!("{:.0}", step.per_second),
            format!("{:.2}", step.p50_ms),
            format!("{:.2}", step.p99_ms),
            format!("{:.2}", step.p999_ms),
            step.failed.to_string(),
            joined(step.servers.iter().map(|cost| cost.0).collect()),
            format!("{:.0}", step.client.0),
            joined(step.servers.iter().map(|cost| cost.1).collect()),
        ]
    };
    Section::table(title, &STEP_HEAD, steps.iter().map(row).collect())
}

fn correctness(report: &Value) -> String {
    let correctness = &report["correctness"];
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    format!(
        "{} allocations, {} releases, duplicates {}, statics kept {}/{}, lost {}, left over {}.",
        number(&correctness["allocations"]),
        number(&correctness["releases"]),
        number(&correctness["duplicates"]) + number(&correctness["audit"]["listed_twice"]),
        number(&correctness["statics_kept"]),
        number(&correctness["statics_recreated"]),
        number(&correctness["audit"]["lost"]),
        number(&correctness["audit"]["left_over"]),
    )
}

fn of_plugins(report: &Value) -> Section {
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    let ms = |value: &Value| format!("{:.2}", number(value) / 1_000.0);
    let row = |(level, plugin): (&str, &Value)| {
        vec![
            plugin["name"].as_str().unwrap_or_default().to_owned(),
            level.to_owned(),
            plugin["add"]["count"].to_string(),
            ms(&plugin["add"]["p50_us"]),
            ms(&plugin["add"]["p99_us"]),
            ms(&plugin["del"]["p50_us"]),
            ms(&plugin["del"]["p99_us"]),
            ms(&plugin["cpu_us"]),
            format!("{:.1}", number(&plugin["resident_bytes"]) / 1e6),
        ]
    };
    let head = [
        "",
        "in use",
        "ADDs",
        "ADD p50 ms",
        "p99 ms",
        "DEL p50 ms",
        "p99 ms",
        "CPU ms",
        "MB",
    ];
    let title = "CNI plugins, whole process";
    let mut section = Section::table(title, &head, plugins(Some(report)).map(row).collect());
    section = section.note(format!(
        "From exec to exit, one call at a time, a vSwitch (or range) of {} addresses; the plugins take turns. Berth's server is \
         one replica, and each ADD and DEL of berth-cni is durable when it ends; host-local writes a file and does not sync it. \
         CPU and the most resident memory are of the plugin's own process.",
        report["addresses"]
    ));
    for missing in report["missing"].as_array().into_iter().flatten() {
        section = section.note(format!(
            "Missing: {}.",
            missing.as_str().unwrap_or_default()
        ));
    }
    section
}

fn of_apply(report: &Value) -> Section {
    let rows = report
        .as_object()
        .into_iter()
        .flatten()
        .map(|(what, value)| {
            let value = value.as_f64().unwrap_or(0.0);
            let value = if value.fract() == 0.0 || value >= 10_000.0 {
                format!("{value:.0}")
            } else {
                format!("{value:.2}")
            };
            vec![what.clone(), value]
        });
    let section = Section::table("The ledger alone", &["", "measured"], rows.collect());
    section.note(
        "One thread's own processor time: decided, all indexes kept, events built and hashed. No log, no network, no disk.",
    )
}

#[cfg(test)]
mod tests;
