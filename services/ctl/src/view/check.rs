//! Whether all replicas have the same ledger, and whether every rule holds on each.

use std::collections::BTreeMap;

use berth_proto::v1;
use serde::Serialize;

use crate::output::Document;
use crate::table;

/// The findings of `berthctl check`.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// All that follows in one word: every replica answered, was compared, agrees, and breaks no rule.
    pub holds: bool,
    /// One entry per endpoint.
    pub replicas: Vec<ReplicaCheck>,
    /// One sentence per finding; empty if it holds.
    pub findings: Vec<String>,
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

/// Answers gathered until every replica has been seen at an index where another was seen too.
#[derive(Debug, Default)]
pub struct Observations {
    /// Index → endpoint → what it said there.
    by_index: BTreeMap<u64, BTreeMap<String, (String, String)>>,
    last: BTreeMap<String, ReplicaCheck>,
    silent: BTreeMap<String, String>,
}

// === impl Observations ===

impl Observations {
    /// One answer.
    pub fn saw(&mut self, endpoint: &str, answer: v1::LedgerDigestResponse) {
        let said = (answer.digest.clone(), answer.chain_head.clone());
        self.by_index
            .entry(answer.applied_index)
            .or_default()
            .insert(endpoint.to_owned(), said);
        self.silent.remove(endpoint);
        let check = ReplicaCheck {
            endpoint: endpoint.to_owned(),
            answered: true,
            applied_index: answer.applied_index,
            revision: answer.revision,
            digest: answer.digest,
            chain_head: answer.chain_head,
            violations: answer.violations,
        };
        self.last.insert(endpoint.to_owned(), check);
    }

    /// No answer.
    pub fn missed(&mut self, endpoint: &str, why: String) {
        self.silent.insert(endpoint.to_owned(), why);
    }

    /// Whether each replica that answers has been compared with the first of them.
    pub fn is_enough(&self) -> bool {
        self.not_compared().is_empty()
    }

    /// Replicas never seen at an index where the first one was seen.
    fn not_compared(&self) -> Vec<&str> {
        let mut names = self.last.keys();
        let Some(first) = names.next() else {
            return Vec::new();
        };
        let met = |name: &String| {
            self.by_index
                .values()
                .any(|at| at.contains_key(first) && at.contains_key(name))
        };
        names
            .filter(|name| !met(name))
            .map(String::as_str)
            .collect()
    }

    fn differences(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for (index, answers) in &self.by_index {
            let mut answers = answers.iter();
            let Some((first, said)) = answers.next() else {
                continue;
            };
            for (other, other_said) in answers.filter(|(_, other_said)| *other_said != said) {
                findings.push(format!(
                    "{first} and {other} differ at index {index}: digest {} against {}, chain {} against {}",
                    said.0, other_said.0, said.1, other_said.1
                ));
            }
        }
        findings
    }

    /// The verdict over all that was seen.
    pub fn report(self) -> CheckReport {
        let mut findings = self.differences();
        for name in self.not_compared() {
            findings.push(format!("{name} was never seen at the same index as the others; run it again when less is going on"));
        }
        findings.extend(
            self.silent
                .iter()
                .map(|(name, why)| format!("{name} did not answer: {why}")),
        );
        for check in self.last.values() {
            findings.extend(
                check
                    .violations
                    .iter()
                    .map(|rule| format!("{}: {rule}", check.endpoint)),
            );
        }
        let mut replicas: Vec<ReplicaCheck> = self.last.into_values().collect();
        let silent = self
            .silent
            .into_keys()
            .filter(|name| replicas.iter().all(|check| check.endpoint != *name));
        let silent: Vec<ReplicaCheck> = silent.map(ReplicaCheck::silent).collect();
        replicas.extend(silent);
        CheckReport {
            holds: findings.is_empty(),
            replicas,
            findings,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::{Observations, v1};

    fn answer(applied_index: u64, digest: &str) -> v1::LedgerDigestResponse {
        v1::LedgerDigestResponse {
            applied_index,
            digest: digest.to_owned(),
            ..Default::default()
        }
    }

    /// Promise: replicas seen at one index with one digest agree, even if they were never at rest together.
    #[test]
    fn agreement_is_found_while_replicas_move() {
        let mut seen = Observations::default();
        seen.saw("a", answer(5, "five"));
        seen.saw("b", answer(4, "four"));
        assert!(!seen.is_enough());
        seen.saw("b", answer(5, "five"));
        seen.saw("a", answer(6, "six"));
        assert!(seen.is_enough());
        assert!(seen.report().holds);
    }

    /// Promise (negative control): a different digest, a broken rule, a silent or uncompared replica never passes.
    #[test]
    fn nothing_bad_passes() {
        let mut differ = Observations::default();
        differ.saw("a", answer(5, "five"));
        differ.saw("b", answer(5, "FIVE"));
        let mut broken = Observations::default();
        broken.saw(
            "a",
            v1::LedgerDigestResponse {
                violations: vec!["A1: two holders".to_owned()],
                ..answer(5, "x")
            },
        );
        let mut silent = Observations::default();
        silent.saw("a", answer(5, "x"));
        silent.missed("b", "refused".to_owned());
        let mut uncompared = Observations::default();
        uncompared.saw("a", answer(5, "x"));
        uncompared.saw("b", answer(6, "y"));
        for seen in [differ, broken, silent, uncompared] {
            let report = seen.report();
            assert!(!report.holds && report.findings.len() == 1, "{report:?}");
        }
    }
}
