//! What the plugins showed, level by level.

use serde::Serialize;

use super::call::Answer;
use super::resident::{self, Weight};
use super::series::Subject;
use super::{Level, Plan};
use crate::Error;
use crate::recorder::{Latency, Recorder};

/// Everything about one measurement of plugins.
#[derive(Clone, Debug, Serialize)]
pub struct Plugins {
    /// Of the server.
    pub version: String,
    /// Addresses that pods can have, with either plugin.
    pub addresses: u64,
    /// Turns of each at each level.
    pub rounds: u32,
    /// In order.
    pub levels: Vec<AtLevel>,
    /// What could not be measured, and why.
    pub missing: Vec<String>,
}

/// One level.
#[derive(Clone, Debug, Serialize)]
pub struct AtLevel {
    /// "0", "1000", "full"
    pub level: String,
    /// Addresses in use before each turn.
    pub in_use: u64,
    /// By plugin.
    pub plugins: Vec<OfPlugin>,
}

/// One plugin at one level.
#[derive(Clone, Debug, Serialize)]
pub struct OfPlugin {
    /// The program's name.
    pub name: String,
    /// From `exec` to exit.
    pub add: Latency,
    /// From `exec` to exit.
    pub del: Latency,
    /// What was refused, by what it said.
    pub failed: std::collections::BTreeMap<String, u64>,
    /// The heaviest of some ADDs and DELs.
    pub resident_bytes: u64,
    /// Below it nothing could be seen.
    pub resident_floor_bytes: u64,
    /// Of an ADD: the median of some.
    pub cpu_us: u64,
}

/// What a plugin did at one level so far.
pub(crate) struct Turns {
    name: &'static str,
    pub(crate) add: Timed,
    pub(crate) del: Timed,
    weights: Vec<(&'static str, Weight)>,
}

/// One verb.
pub(crate) struct Timed(Recorder);

/// Sandboxes whose ADD and DEL are weighed.
const WEIGHED: u64 = 5;

// === impl Plugins ===

impl Plugins {
    pub(crate) fn new(plan: &Plan, version: &str, addresses: u64, host_local: bool) -> Self {
        let missing = format!(
            "host-local: {} is not there (Debian's package containernetworking-plugins has it)",
            plan.host_local.display()
        );
        Self {
            version: version.to_owned(),
            addresses,
            rounds: plan.rounds,
            levels: Vec::new(),
            missing: if host_local {
                Vec::new()
            } else {
                vec![missing]
            },
        }
    }

    pub(crate) fn at(&mut self, level: &Level, in_use: u64, turns: Vec<Turns>) -> String {
        let plugins: Vec<OfPlugin> = turns.iter().map(Turns::of_plugin).collect();
        let lines: Vec<String> = plugins.iter().map(OfPlugin::line).collect();
        self.levels.push(AtLevel {
            level: level.to_string(),
            in_use,
            plugins,
        });
        format!("{in_use} in use: {}", lines.join("; "))
    }

    /// Whether every call succeeded.
    pub fn holds(&self) -> bool {
        let mut all = self.levels.iter().flat_map(|level| &level.plugins);
        all.all(|plugin| plugin.failed.is_empty())
    }

    /// For people.
    pub fn table(&self) -> String {
        let line = |level: &AtLevel| {
            let lines = level.plugins.iter().map(OfPlugin::line);
            let lines: Vec<String> = lines.map(|line| format!("  {line}\n")).collect();
            format!("{} in use\n{}", level.in_use, lines.concat())
        };
        let missing = self.missing.iter().map(|what| format!("missing: {what}\n"));
        self.levels.iter().map(line).chain(missing).collect()
    }
}

// === impl OfPlugin ===

impl OfPlugin {
    fn line(&self) -> String {
        let ms = |us: u64| us as f64 / 1_000.0;
        let failed: u64 = self.failed.values().sum();
        format!(
            "{}: ADD p50 {:.2} ms p99 {:.2} ms, DEL p50 {:.2} ms, {:.1} MiB, {failed} failed",
            self.name,
            ms(self.add.p50_us),
            ms(self.add.p99_us),
            ms(self.del.p50_us),
            self.resident_bytes as f64 / 1_048_576.0
        )
    }
}

// === impl Turns ===

impl Turns {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            add: Timed(Recorder::new()),
            del: Timed(Recorder::new()),
            weights: Vec::new(),
        }
    }

    /// Some more sandboxes, not timed but weighed.
    pub(crate) fn weigh(&mut self, subject: &dyn Subject, next: &mut u64) -> Result<(), Error> {
        let ourselves = std::env::current_exe()?;
        for number in *next..*next + WEIGHED {
            for verb in ["ADD", "DEL"] {
                let call = subject.call(verb, number);
                let weight = resident::weigh(&call, &ourselves, subject.program())?;
                self.weights.push((verb, weight));
            }
        }
        *next += WEIGHED;
        Ok(())
    }

    pub(crate) fn of_plugin(&self) -> OfPlugin {
        let weights = || self.weights.iter().map(|(_, weight)| weight);
        let adds = self.weights.iter().filter(|(verb, _)| *verb == "ADD");
        let mut cpu: Vec<u64> = adds.map(|(_, weight)| weight.cpu_us).collect();
        cpu.sort_unstable();
        let mut failed = self.add.0.failures();
        failed.extend(self.del.0.failures());
        let unweighed = weights().filter(|weight| !weight.success).count() as u64;
        if unweighed > 0 {
            failed.insert("refused while it was weighed".to_owned(), unweighed);
        }
        OfPlugin {
            name: self.name.to_owned(),
            add: self.add.0.latency(),
            del: self.del.0.latency(),
            failed,
            resident_bytes: weights()
                .map(|weight| weight.resident_bytes)
                .max()
                .unwrap_or(0),
            resident_floor_bytes: weights()
                .map(|weight| weight.floor_bytes)
                .max()
                .unwrap_or(0),
            cpu_us: cpu.get(cpu.len() / 2).copied().unwrap_or(0),
        }
    }
}

// === impl Timed ===

impl Timed {
    pub(crate) fn answered(&mut self, answer: Answer) {
        match answer.refused {
            None => self.0.succeeded(answer.took),
            Some(why) => self.0.failed(&why),
        }
    }
}
