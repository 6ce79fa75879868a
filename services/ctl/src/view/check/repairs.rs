//! What is wrong and can be mended, and what came of it.

use berth_proto::v1;
use serde::Serialize;

use crate::output::Document;
use crate::table;

/// All findings.
#[derive(Debug, Serialize)]
pub struct Repairs {
    /// Nothing was changed.
    pub dry_run: bool,
    /// In the order in which they were, or would be, mended.
    pub findings: Vec<Mended>,
    /// The revision at which they were found.
    pub revision: u64,
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct Mended {
    /// The rule's id.
    pub rule: String,
    /// In one sentence.
    pub what: String,
    /// What mending it does.
    pub remedy: String,
    /// "planned", "done" or "refused".
    pub state: &'static str,
    /// Why it was refused.
    pub reason: Option<String>,
    /// The revision of its end.
    pub revision: Option<u64>,
}

// === impl Mended ===

impl Mended {
    /// Not tried yet.
    pub fn planned(finding: &v1::Finding) -> Self {
        Self {
            rule: finding.rule.clone(),
            what: finding.what.clone(),
            remedy: finding.remedy.clone(),
            state: "planned",
            reason: None,
            revision: None,
        }
    }

    /// It is mended.
    pub fn done(&mut self, revision: u64) {
        self.state = "done";
        self.revision = Some(revision);
    }

    /// The ledger would not.
    pub fn refused(&mut self, why: String) {
        self.state = "refused";
        self.reason = Some(why);
    }

    fn row(&self) -> Vec<String> {
        let state = match &self.reason {
            Some(reason) => format!("{}: {reason}", self.state),
            None => self.state.to_owned(),
        };
        vec![
            self.rule.clone(),
            self.what.clone(),
            self.remedy.clone(),
            state,
        ]
    }
}

// === impl Repairs ===

impl Repairs {
    /// None yet.
    pub fn new(dry_run: bool, revision: u64) -> Self {
        Self {
            dry_run,
            findings: Vec::new(),
            revision,
        }
    }
}

impl Document for Repairs {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        if self.findings.is_empty() {
            return format!("at revision {} there is nothing to mend", self.revision);
        }
        let header = &["RULE", "WHAT", "REMEDY", "STATE"];
        let mut text = table::columns(header, self.findings.iter().map(Mended::row));
        if self.dry_run {
            text.push_str("\n\nnothing was changed; without --dry-run each is mended, unless it is well by then");
        }
        text
    }

    fn holds(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.state != "refused")
    }
}
