//! What a soak has seen: a table for people, JSON for programs.

use crate::check::Verdict;
use crate::nemesis::{Fault, Struck};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The sums.
#[derive(Debug, Default)]
pub struct Report {
    /// Calls of clients.
    pub operations: usize,
    /// How long it took.
    pub took: Duration,
    served: usize,
    unknown: usize,
    revisions: u64,
    power_cuts: usize,
    by_fault: BTreeMap<Fault, Vec<Duration>>,
    bad: Vec<Bad>,
}

#[derive(Debug)]
struct Bad {
    seed: u64,
    what: String,
    violations: usize,
    kept: Option<PathBuf>,
}

// === impl Report ===

impl Report {
    pub(super) fn struck(&mut self, struck: Struck) {
        self.by_fault
            .entry(struck.fault)
            .or_default()
            .push(struck.served_after);
    }

    pub(super) fn judged(&mut self, seed: u64, verdict: &Verdict, kept: Option<PathBuf>) {
        self.operations += verdict.operations;
        self.served += verdict.served;
        self.unknown += verdict.unknown;
        self.revisions += verdict.revisions;
        self.note(seed, verdict, kept);
    }

    pub(super) fn power_cut(&mut self, seed: u64, verdict: &Verdict, kept: Option<PathBuf>) {
        self.power_cuts += 1;
        self.note(seed, verdict, kept);
    }

    fn note(&mut self, seed: u64, verdict: &Verdict, kept: Option<PathBuf>) {
        if !verdict.violations.is_empty() {
            let (what, violations) = (verdict.summary(), verdict.violations.len());
            self.bad.push(Bad {
                seed,
                what,
                violations,
                kept,
            });
        }
    }

    /// The harness waited in vain.
    pub(super) fn broke(&mut self, seed: u64) {
        let what = "the harness waited in vain, see above".to_owned();
        self.bad.push(Bad {
            seed,
            what,
            violations: 1,
            kept: None,
        });
    }

    /// How many faults there were.
    pub fn faults(&self) -> usize {
        self.by_fault.values().map(Vec::len).sum::<usize>() + self.power_cuts
    }

    /// How many rules were broken, in all.
    pub fn violations(&self) -> usize {
        self.bad.iter().map(|bad| bad.violations).sum()
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let by_fault = self.by_fault.iter().map(|(fault, served)| {
            let (median, slowest) = spread(served);
            let row = json!({
                "times": served.len(),
                "median_recovery_ms": median.as_millis() as u64,
                "slowest_recovery_ms": slowest.as_millis() as u64,
            });
            (fault.to_string(), row)
        });
        let bad = self.bad.iter().map(|bad| {
            json!({ "seed": bad.seed, "what": bad.what, "violations": bad.violations, "kept": bad.kept })
        });
        json!({
            "seconds": self.took.as_secs(),
            "operations": self.operations,
            "served": self.served,
            "unknown": self.unknown,
            "revisions": self.revisions,
            "faults": self.faults(),
            "power_cuts": self.power_cuts,
            "by_fault": by_fault.collect::<serde_json::Map<String, Value>>(),
            "violations": self.violations(),
            "failed": bad.collect::<Vec<Value>>(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<22} {:>6}  {:>10}  {:>10}",
            "fault", "times", "median", "slowest"
        )?;
        for (fault, served) in &self.by_fault {
            let (median, slowest) = spread(served);
            let (median, slowest) = (median.as_secs_f64(), slowest.as_secs_f64());
            let name = fault.to_string();
            writeln!(
                f,
                "{name:<22} {:>6}  {median:>8.2} s  {slowest:>8.2} s",
                served.len()
            )?;
        }
        writeln!(f, "{:<22} {:>6}", "PowerCut", self.power_cuts)?;
        let Self {
            operations,
            served,
            unknown,
            revisions,
            ..
        } = self;
        writeln!(
            f,
            "\n{operations} operations ({served} served, {unknown} of unknown outcome), {revisions} revisions, \
             {} faults in {} s, {} violations",
            self.faults(),
            self.took.as_secs(),
            self.violations()
        )?;
        for bad in &self.bad {
            writeln!(f, "! seed {}: {}", bad.seed, bad.what)?;
            if let Some(kept) = &bad.kept {
                writeln!(
                    f,
                    "    check its record again: cargo xtask soak --check {}",
                    kept.display()
                )?;
            }
        }
        Ok(())
    }
}

fn spread(all: &[Duration]) -> (Duration, Duration) {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    (median, sorted.last().copied().unwrap_or_default())
}
