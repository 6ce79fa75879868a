//! What a replica found in its own history.

use berth_proto::v1;
use serde::Serialize;

/// One replica's.
#[derive(Debug, Serialize)]
pub struct HistoryCheck {
    /// The endpoint asked.
    pub endpoint: String,
    /// It was read to its end.
    pub finished: bool,
    /// Up to here.
    pub revision: u64,
    /// Event groups that were read.
    pub groups: u64,
    /// It goes back to the beginning, and its replay gave the ledger.
    pub replayed: bool,
    /// Rules that do not hold; or why it was not finished.
    pub violations: Vec<String>,
}

// === impl HistoryCheck ===

impl HistoryCheck {
    /// Its verdict.
    pub fn new(endpoint: &str, verdict: v1::VerifyHistoryResponse) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            finished: true,
            revision: verdict.until_revision,
            groups: verdict.groups,
            replayed: verdict.replayed,
            violations: verdict.violations,
        }
    }

    /// It did not come to a verdict.
    pub fn unfinished(endpoint: &str, why: String) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            finished: false,
            revision: 0,
            groups: 0,
            replayed: false,
            violations: vec![why],
        }
    }

    pub(super) fn findings(&self) -> Vec<String> {
        let of_history = |what: &String| format!("{}, history: {what}", self.endpoint);
        self.violations.iter().map(of_history).collect()
    }

    pub(super) fn line(&self) -> String {
        let Self {
            endpoint, groups, ..
        } = self;
        match (self.violations.is_empty(), self.replayed) {
            (false, _) => format!("{endpoint}: its history does not hold"),
            (true, true) => {
                format!("{endpoint}: {groups} event groups hash, and their replay gives its ledger")
            }
            (true, false) => format!(
                "{endpoint}: {groups} event groups hash; older ones were dropped, so they were not replayed"
            ),
        }
    }
}
