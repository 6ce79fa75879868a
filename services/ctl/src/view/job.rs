//! A job of cloud calls as it is shown.

use berth_proto::v1;
use serde::Serialize;

use super::{Item, present, shown};
use crate::table;

/// Cloud calls that are under way for one ENI.
#[derive(Debug, Serialize)]
pub struct Job {
    /// The ledger's id; the cloud has it as a tag and as the client token.
    pub id: u64,
    /// Null if the node was removed.
    pub node: Option<String>,
    /// The ENI's.
    pub vswitch: String,
    /// The ledger's number of the ENI.
    pub eni_number: u64,
    /// The cloud's name; null until it is made.
    pub eni: Option<String>,
    /// "create-eni", "assign", "unassign" or "delete-eni".
    pub work: String,
    /// Which call it is at.
    pub step: String,
    /// What it is for.
    pub addresses: Vec<String>,
    /// How often this step's call was made in vain.
    pub attempt: u32,
    /// Since it began.
    pub age_ms: u64,
    /// Since it came to its step.
    pub step_age_ms: u64,
    /// Null if nothing is wrong.
    pub trouble: Option<String>,
    /// For so long a call of unknown end may still take effect; 0 = there is none.
    pub doubt_ms: u64,
}

// === impl Job ===

impl From<v1::Job> for Job {
    fn from(job: v1::Job) -> Self {
        Self {
            id: job.id,
            node: present(job.node),
            vswitch: job.vswitch,
            eni_number: job.eni_number,
            eni: present(job.eni),
            work: job.work,
            step: job.step,
            addresses: job.addresses,
            attempt: job.attempt,
            age_ms: job.age_ms,
            step_age_ms: job.step_age_ms,
            trouble: present(job.trouble),
            doubt_ms: job.doubt_ms,
        }
    }
}

fn seconds(ms: u64) -> String {
    format!("{}s", ms / 1_000)
}

impl Item for Job {
    const HEADER: &'static [&'static str] = &[
        "JOB",
        "NODE",
        "WORK",
        "STEP",
        "ENI",
        "ADDRESSES",
        "AGE",
        "ATTEMPT",
        "TROUBLE",
    ];
    const NONE: &'static str = "no cloud call is under way";

    fn rows(&self) -> Vec<Vec<String>> {
        vec![vec![
            self.id.to_string(),
            shown(&self.node),
            self.work.clone(),
            self.step.clone(),
            shown(&self.eni),
            self.addresses.len().to_string(),
            seconds(self.age_ms),
            self.attempt.to_string(),
            shown(&self.trouble),
        ]]
    }

    fn in_full(&self) -> String {
        table::fields(&[
            ("job", self.id.to_string()),
            ("node", shown(&self.node)),
            ("vSwitch", self.vswitch.clone()),
            ("ENI", shown(&self.eni)),
            ("work", self.work.clone()),
            ("step", self.step.clone()),
            ("addresses", self.addresses.join(", ")),
            ("age", seconds(self.age_ms)),
            ("at this step for", seconds(self.step_age_ms)),
            ("attempt", self.attempt.to_string()),
            ("trouble", shown(&self.trouble)),
            ("in doubt for", seconds(self.doubt_ms)),
        ])
    }
}
