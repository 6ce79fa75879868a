//! Many looks, each compared with the one before.

use std::collections::BTreeMap;

use serde::Serialize;

use super::CheckReport;
use crate::moment::Moment;
use crate::output::Document;

/// One look.
#[derive(Debug, Serialize)]
pub struct Look {
    /// When.
    pub time: String,
    /// Everything held.
    pub holds: bool,
    /// Replicas that answered.
    pub answered: usize,
    /// Replicas asked.
    pub replicas: usize,
    /// The highest revision seen.
    pub revision: u64,
    /// One sentence per finding.
    pub findings: Vec<String>,
}

/// All looks so far.
#[derive(Debug, Default, Serialize)]
pub struct Watched {
    /// How many.
    pub looks: u64,
    /// In how many something did not hold.
    pub broken: u64,
    /// Member → the highest term and revision it has said.
    #[serde(skip)]
    reached: BTreeMap<u64, (u64, u64)>,
}

// === impl Watched ===

impl Watched {
    /// One look more. R6: a member's term never falls; what a leader has applied is never gone.
    pub fn after(&mut self, report: CheckReport) -> Look {
        let mut findings = report.findings;
        for (endpoint, standing) in &report.standing {
            let reached = self.reached.entry(standing.member).or_default();
            if standing.term < reached.0 {
                findings.push(format!(
                    "R6: {endpoint} was in term {} and says {} now",
                    reached.0, standing.term
                ));
            }
            if standing.leads && standing.revision < reached.1 {
                findings.push(format!(
                    "R3: {endpoint} leads with revision {}, and it had applied {} before",
                    standing.revision, reached.1
                ));
            }
            *reached = (
                reached.0.max(standing.term),
                reached.1.max(standing.revision),
            );
        }
        self.looks += 1;
        self.broken += u64::from(!findings.is_empty());
        let answered = report.replicas.iter().filter(|check| check.answered);
        Look {
            time: Moment::now().rfc3339(),
            holds: findings.is_empty(),
            answered: answered.clone().count(),
            replicas: report.replicas.len(),
            revision: answered.map(|check| check.revision).max().unwrap_or(0),
            findings,
        }
    }
}

impl Document for Watched {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        format!(
            "{} looks, {} of them found something",
            self.looks, self.broken
        )
    }

    fn is_one_of_many(&self) -> bool {
        true
    }

    fn holds(&self) -> bool {
        self.broken == 0
    }
}

// === impl Look ===

impl Document for Look {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let Self {
            time,
            answered,
            replicas,
            revision,
            ..
        } = self;
        let mut text = format!("{time}  {answered} of {replicas} replicas, revision {revision}: ");
        match self.findings.is_empty() {
            true => text.push_str("everything holds"),
            false => {
                let findings = self.findings.iter();
                findings.for_each(|finding| text.push_str(&format!("\n  ! {finding}")));
            }
        }
        text
    }

    fn is_one_of_many(&self) -> bool {
        true
    }

    fn holds(&self) -> bool {
        self.holds
    }
}
