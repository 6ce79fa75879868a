//! What was found in a plan, as it is shown.

use berth_proto::v1;
use serde::Serialize;

use crate::output::Document;
use crate::table;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// Whether nothing was refused.
    pub holds: bool,
    /// What was found; empty if all goes together.
    pub findings: Vec<Finding>,
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// "refused" or "warning".
    pub severity: String,
    /// For programs.
    pub code: String,
    /// With both sides of the matter.
    pub message: String,
}

/// The severity of what has to be changed.
const REFUSED: &str = "refused";

// === impl Findings ===

impl From<v1::ValidatePlanResponse> for Findings {
    fn from(response: v1::ValidatePlanResponse) -> Self {
        let finding = |one: v1::PlanFinding| Finding {
            severity: one.severity,
            code: one.code,
            message: one.message,
        };
        let findings: Vec<Finding> = response.findings.into_iter().map(finding).collect();
        Self {
            holds: findings.iter().all(|one| one.severity != REFUSED),
            findings,
        }
    }
}

impl Document for Findings {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        if self.findings.is_empty() {
            return "the plan goes together".to_owned();
        }
        let row = |one: &Finding| vec![one.severity.clone(), one.code.clone(), one.message.clone()];
        let rows = self.findings.iter().map(row);
        table::columns(&["SEVERITY", "CODE", "FINDING"], rows)
    }

    fn holds(&self) -> bool {
        self.holds
    }
}
