//! What a run showed: one document for programs, one table for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::audit::Audit;
use crate::book::Counts;
use crate::processes::Cost;
pub use crate::recorder::Latency;

/// Everything about one run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// "berth" or "etcd".
    pub system: String,
    /// As the system itself says.
    pub version: String,
    /// Replicas or members.
    pub replicas: usize,
    /// What one request was.
    pub request: String,
    /// Of one request's message, without HTTP/2's own.
    pub payload_bytes: usize,
    /// The scenario's kind and seed are the story.
    pub scenario: crate::scenario::Scenario,
    /// In the order in which they ran.
    pub rounds: Vec<Round>,
    /// None for a system whose answers are not addresses.
    pub correctness: Option<Correctness>,
}

/// One measured stretch.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    /// "closed loop", "open loop", "churn".
    pub mode: String,
    /// Closed loop.
    pub in_flight: Option<u32>,
    /// Open loop: as asked for.
    pub offered_per_second: Option<u32>,
    /// Measured.
    pub seconds: f64,
    /// Successes per second.
    pub per_second: f64,
    /// By request: "ADD", "ADD static", "DEL", "txn".
    pub latency: BTreeMap<String, Latency>,
    /// By request and reason: how many failed.
    pub failed: BTreeMap<String, u64>,
    /// By process.
    pub cost: Vec<Cost>,
}

/// What was right and wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Correctness {
    /// Seen by the client as it went.
    #[serde(flatten)]
    pub counts: Counts,
    /// Seen at the end, in the server's list.
    pub audit: Audit,
    /// In words; the first few.
    pub faults: Vec<String>,
    /// Whether all of it is right.
    pub holds: bool,
}

// === impl Report ===

impl Report {
    /// Whether nothing was wrong.
    pub fn holds(&self) -> bool {
        let wrong = |correctness: &Correctness| !correctness.holds;
        !self.correctness.as_ref().is_some_and(wrong)
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{} {}, {} replica(s), {} of {} bytes\n",
            self.system, self.version, self.replicas, self.request, self.payload_bytes
        );
        let head = [
            "round",
            "request",
            "done/s",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "failed",
            "cpu % / MiB",
        ];
        text += &row(&head.map(str::to_owned));
        for round in &self.rounds {
            text += &round.rows();
        }
        if let Some(correctness) = &self.correctness {
            text += &correctness.line();
        }
        text
    }
}

// === impl Round ===

impl Round {
    /// One line, for the moment when it ends.
    pub fn line(&self) -> String {
        let latencies = self.latency.iter().map(|(request, latency)| {
            let ms = |us: u64| us as f64 / 1_000.0;
            let (p50, p99) = (ms(latency.p50_us), ms(latency.p99_us));
            format!("{request} p50 {p50:.2} ms p99 {p99:.2} ms")
        });
        let latencies = latencies.collect::<Vec<_>>().join(", ");
        let failed: u64 = self.failed.values().sum();
        let failed = if failed == 0 {
            String::new()
        } else {
            format!(", {failed} failed")
        };
        format!(
            "{}: {:.0}/s, {latencies}{failed}",
            self.name(),
            self.per_second
        )
    }

    fn name(&self) -> String {
        match (self.in_flight, self.offered_per_second) {
            (Some(in_flight), _) => format!("{in_flight} in flight"),
            (_, Some(offered)) => format!("{offered}/s offered"),
            _ => self.mode.clone(),
        }
    }

    fn rows(&self) -> String {
        let ms = |us: u64| format!("{:.2}", us as f64 / 1_000.0);
        let failed: u64 = self.failed.values().sum();
        let costs = self.cost.iter().map(|cost| {
            let mebibytes = cost.resident_bytes >> 20;
            format!("{} {:.0}/{mebibytes}", cost.name, cost.cpu_percent)
        });
        let costs = costs.collect::<Vec<_>>().join(" ");
        let mut text = String::new();
        for (at, (request, latency)) in self.latency.iter().enumerate() {
            let first = |text: &str| {
                if at == 0 {
                    text.to_owned()
                } else {
                    String::new()
                }
            };
            text += &row(&[
                first(&self.name()),
                request.clone(),
                format!("{:.0}", latency.count as f64 / self.seconds),
                ms(latency.p50_us),
                ms(latency.p99_us),
                ms(latency.p999_us),
                first(&failed.to_string()),
                first(&costs),
            ]);
        }
        text
    }
}

// === impl Correctness ===

impl Correctness {
    pub(crate) fn new(counts: Counts, mut faults: Vec<String>, audit: Audit) -> Self {
        let statics = counts.statics_kept == counts.statics_recreated;
        let holds = counts.duplicates == 0 && statics && audit.holds();
        faults.extend(audit.faults.iter().cloned());
        Self {
            counts,
            audit,
            faults,
            holds,
        }
    }

    fn line(&self) -> String {
        let counts = &self.counts;
        let mut text = format!(
            "{}: {} allocations, {} releases, duplicates {}, statics kept {}/{}, lost {} of {}, left over {}, without an answer {}\n",
            if self.holds { "correct" } else { "WRONG" },
            counts.allocations,
            counts.releases,
            counts.duplicates + self.audit.listed_twice,
            counts.statics_kept,
            counts.statics_recreated,
            self.audit.lost,
            self.audit.compared,
            self.audit.left_over,
            self.audit.doubtful,
        );
        for fault in &self.faults {
            // Writing to a String cannot fail.
            writeln!(text, "  {fault}").unwrap_or_default();
        }
        text
    }
}

fn row(cells: &[String; 8]) -> String {
    let [round, request, rate, p50, p99, p999, failed, costs] = cells;
    let line = format!(
        "{round:<16} {request:<11} {rate:>9} {p50:>9} {p99:>9} {p999:>9} {failed:>7}  {costs}"
    );
    format!("{}\n", line.trim_end())
}
