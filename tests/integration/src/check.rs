//! Whether what the clients saw, what the members say and what the pods believed can all be true at once: strict
//! serializability by revision replay, and the rules of addresses in revision space and in real time.
//!
//! Pure: a record in, violations out.

mod answers;
mod beliefs;
mod effects;
mod members;
mod order;

use crate::record::Record;
use crate::replay::{Replay, Rules};
use std::collections::BTreeMap;
use std::fmt;

/// One rule that was broken, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule (reliability catalogue).
    pub rule: &'static str,
    /// By what.
    pub what: String,
}

/// What came out of a check.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Everything that was broken.
    pub violations: Vec<Violation>,
    /// How many calls there were.
    pub operations: usize,
    /// How many of them were answered with what they asked for.
    pub served: usize,
    /// How many nobody knows the outcome of.
    pub unknown: usize,
    /// How many revisions the history has.
    pub revisions: u64,
}

/// Checks a whole record.
pub fn check(record: &Record) -> Verdict {
    let mut violations = Vec::new();
    let rules = Rules::of(&record.operations);
    let history = members::agreed(record, &mut violations);
    let replay = Replay::new(history, &rules, &mut violations);
    let order = order::check(record, &replay, &mut violations);
    effects::check(record, &replay, &order, &mut violations);
    answers::check(record, &replay, &order, &mut violations);
    beliefs::check(record, &replay, &rules, &mut violations);
    let unknown = |operation: &&crate::record::Operation| {
        matches!(operation.answer, crate::record::Answer::Unknown { .. })
    };
    let served = record
        .operations
        .iter()
        .filter(|operation| operation.answer.revision().is_some());
    Verdict {
        violations,
        operations: record.operations.len(),
        served: served.count(),
        unknown: record.operations.iter().filter(unknown).count(),
        revisions: replay.last(),
    }
}

// === impl Violation ===

impl Violation {
    pub(crate) fn new(rule: &'static str, what: String) -> Self {
        Self { rule, what }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

// === impl Verdict ===

impl Verdict {
    /// Of a cluster that does not even come back.
    pub fn unusable(what: String) -> Self {
        let violations = vec![Violation::new("R3 nothing acknowledged is lost", what)];
        Self {
            violations,
            ..Self::default()
        }
    }

    /// In one line: how often each rule was broken.
    pub fn summary(&self) -> String {
        let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
        for violation in &self.violations {
            *rules.entry(violation.rule).or_default() += 1;
        }
        let rules: Vec<String> = rules
            .iter()
            .map(|(rule, times)| format!("{rule} ({times})"))
            .collect();
        let (operations, revisions) = (self.operations, self.revisions);
        format!(
            "{operations} operations, {revisions} revisions; violated: {}",
            rules.join(", ")
        )
    }

    /// Whether a rule of this name was broken: "R3".
    pub fn breaks(&self, rule: &str) -> bool {
        self.violations
            .iter()
            .any(|violation| violation.rule.starts_with(rule))
    }
}

/// How many of one rule are shown.
const SHOWN: usize = 5;

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operations,
            served,
            unknown,
            revisions,
            ..
        } = self;
        write!(
            f,
            "{operations} operations ({served} served, {unknown} of unknown outcome), {revisions} revisions, {} violations",
            self.violations.len()
        )?;
        let mut by_rule: BTreeMap<&str, Vec<&Violation>> = BTreeMap::new();
        for violation in &self.violations {
            by_rule.entry(violation.rule).or_default().push(violation);
        }
        for (rule, all) in by_rule {
            write!(f, "\n  {rule}: {} times", all.len())?;
            for violation in all.iter().take(SHOWN) {
                write!(f, "\n    {}", violation.what)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
