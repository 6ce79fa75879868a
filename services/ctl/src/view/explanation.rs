//! What is known of one pod.

use berth_proto::v1;
use serde::Serialize;

use super::Item;
use super::allocation::Allocation;
use super::claim::Claim;
use crate::output::Document;

/// A pod's allocations, claim, and the sentences that explain them.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// "namespace/name".
    pub pod: String,
    /// In order: what is, what it waits for, what to do.
    pub findings: Vec<String>,
    /// What it has now.
    pub allocations: Vec<Allocation>,
    /// Null if it has none.
    pub claim: Option<Claim>,
    /// "cloud", "manual" or "lease": how a hand-over is made safe on this network.
    pub fencing_mode: String,
    /// The revision at which this was true.
    pub revision: u64,
}

// === impl Explanation ===

impl Explanation {
    /// Of the pod called `pod`.
    pub fn new(pod: String, response: v1::ExplainPodResponse) -> Self {
        Self {
            pod,
            findings: response.findings,
            allocations: response
                .allocations
                .into_iter()
                .map(Allocation::from)
                .collect(),
            claim: response.claim.map(Claim::from),
            fencing_mode: response.fencing_mode,
            revision: response.revision,
        }
    }
}

impl Document for Explanation {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let mut parts = vec![format!("pod {} (revision {})", self.pod, self.revision)];
        parts.push(
            self.findings
                .iter()
                .map(|finding| format!("* {finding}"))
                .collect::<Vec<_>>()
                .join("\n"),
        );
        parts.extend(
            self.allocations
                .iter()
                .map(|allocation| format!("allocation\n{}", allocation.in_full())),
        );
        parts.extend(
            self.claim
                .iter()
                .map(|claim| format!("claim\n{}", claim.in_full())),
        );
        if !self.fencing_mode.is_empty() {
            parts.push(format!("fencing mode: {}", self.fencing_mode));
        }
        parts.retain(|part| !part.is_empty());
        parts.join("\n\n")
    }
}
