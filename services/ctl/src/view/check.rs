//! Whether all replicas have the same ledger and history, whether every rule holds on each, and what was mended.

mod history;
mod observations;
mod repairs;
mod watched;

pub use history::HistoryCheck;
pub use observations::Observations;
pub use repairs::{Mended, Repairs};
pub use watched::{Look, Watched};

use std::collections::BTreeMap;

use serde::Serialize;

use observations::Standing;

use crate::output::Document;
use crate::table;

/// The findings of `berthctl check`.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// All that follows in one word: every replica answered, was compared, agrees, and breaks no rule.
    pub holds: bool,
    /// One entry per endpoint.
    pub replicas: Vec<ReplicaCheck>,
    /// One entry per endpoint, if its whole history was read.
    pub histories: Vec<HistoryCheck>,
    /// One sentence per finding; empty if it holds.
    pub findings: Vec<String>,
    /// What each said of leader and term.
    #[serde(skip)]
    standing: BTreeMap<String, Standing>,
}

/// The last answer of one endpoint.
#[derive(Debug, Clone, Serialize)]
pub struct ReplicaCheck {
    /// The endpoint asked.
    pub endpoint: String,
    /// False: it did not answer, and the numbers below are zero.
    pub answered: bool,
    /// Index up to which its ledger is applied.
    pub applied_index: u64,
    /// Its ledger's revision.
    pub revision: u64,
    /// Of its whole ledger, hex.
    pub digest: String,
    /// Of its history, hex.
    pub chain_head: String,
    /// Rules that do not hold, with their ids.
    pub violations: Vec<String>,
}

// === impl ReplicaCheck ===

impl ReplicaCheck {
    fn silent(endpoint: String) -> Self {
        Self {
            endpoint,
            answered: false,
            applied_index: 0,
            revision: 0,
            digest: String::new(),
            chain_head: String::new(),
            violations: Vec::new(),
        }
    }
}

// === impl CheckReport ===

impl CheckReport {
    /// What was read of the histories.
    pub fn add(&mut self, histories: Vec<HistoryCheck>) {
        self.findings
            .extend(histories.iter().flat_map(HistoryCheck::findings));
        self.holds = self.findings.is_empty();
        self.histories = histories;
    }
}

impl Document for CheckReport {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let short = |hex: &str| hex.chars().take(16).collect::<String>();
        let rows = self.replicas.iter().map(|check| {
            let applied = if check.answered {
                check.applied_index.to_string()
            } else {
                String::new()
            };
            let revision = if check.answered {
                check.revision.to_string()
            } else {
                String::new()
            };
            vec![
                check.endpoint.clone(),
                applied,
                revision,
                short(&check.digest),
                short(&check.chain_head),
            ]
        });
        let mut parts = vec![table::columns(
            &["REPLICA", "APPLIED", "REVISION", "DIGEST", "CHAIN"],
            rows,
        )];
        parts.extend(self.histories.iter().map(HistoryCheck::line));
        match self.holds {
            true => parts.push("all replicas agree and every rule holds".to_owned()),
            false => parts.push(
                self.findings
                    .iter()
                    .map(|finding| format!("! {finding}"))
                    .collect::<Vec<_>>()
                    .join("\n"),
            ),
        }
        parts.join("\n\n")
    }

    fn holds(&self) -> bool {
        self.holds
    }
}
