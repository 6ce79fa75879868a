//! What the leader asks of the cloud, as it is shown.

use berth_proto::v1;
use serde::Serialize;

use super::{present, shown};
use crate::output::Document;
use crate::table;

/// The budget of cloud calls and what it is used for.
#[derive(Debug, Serialize)]
pub struct CloudStatus {
    /// "normal", "careful", "cached only" or "none".
    pub level: String,
    /// Null if it is normal.
    pub why: Option<String>,
    /// Calls that are out.
    pub under_way: u32,
    /// Jobs that are conducted.
    pub jobs: u32,
    /// Calls that wait for the budget.
    pub waiting: Vec<Waiting>,
    /// Calls since the leader began to lead.
    pub calls: Vec<Calls>,
}

/// Calls that wait, of one lane.
#[derive(Debug, Serialize)]
pub struct Waiting {
    /// "waiting pod", "static move", "refill", "reclaim" or "look".
    pub lane: String,
    /// How many.
    pub count: u32,
}

/// Calls of one action.
#[derive(Debug, Serialize)]
pub struct Calls {
    /// As the cloud names it.
    pub action: String,
    /// How many went out.
    pub count: u64,
    /// How many may go out in a minute at the moment.
    pub per_minute: u32,
}

// === impl CloudStatus ===

impl From<v1::CloudStatusResponse> for CloudStatus {
    fn from(status: v1::CloudStatusResponse) -> Self {
        let waiting = status.waiting.into_iter().map(|one| Waiting {
            lane: one.lane,
            count: one.count,
        });
        let calls = status.calls.into_iter().map(|one| Calls {
            action: one.action,
            count: one.count,
            per_minute: one.per_minute,
        });
        Self {
            level: status.level,
            why: present(status.why),
            under_way: status.under_way,
            jobs: status.jobs,
            waiting: waiting.collect(),
            calls: calls.collect(),
        }
    }
}

impl Document for CloudStatus {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        if self.level == "none" {
            return "no cloud: start berthd with --cloud and --region to make network interfaces"
                .into();
        }
        let waiting = self.waiting.iter();
        let waiting: Vec<String> = waiting
            .map(|one| format!("{} for {}", one.count, one.lane))
            .collect();
        let fields = table::fields(&[
            ("level", self.level.clone()),
            ("why", shown(&self.why)),
            ("jobs", self.jobs.to_string()),
            ("calls under way", self.under_way.to_string()),
            ("calls that wait", waiting.join(", ")),
        ]);
        if self.calls.is_empty() {
            return fields;
        }
        let rows = self.calls.iter().map(|one| {
            vec![
                one.action.clone(),
                one.count.to_string(),
                one.per_minute.to_string(),
            ]
        });
        let calls = table::columns(&["ACTION", "CALLS", "PER MINUTE AT MOST"], rows);
        format!("{fields}\n\n{calls}")
    }
}

/// Cloud and ledger, held against each other.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// False: nobody has looked yet, and nothing is known.
    pub looked: bool,
    /// How long ago the leader began to look.
    pub age_ms: u64,
    /// ENIs of this cluster that the cloud has.
    pub enis: u32,
    /// What is otherwise there than here.
    pub differences: Vec<Difference>,
    /// The ledger's revision.
    pub revision: u64,
}

/// One thing that is otherwise there than here.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// "orphan", "vanished", "elsewhere", "missing" or "extra".
    pub kind: String,
    /// Which ENI.
    pub eni: String,
    /// Null: the ENI itself.
    pub address: Option<String>,
    /// More.
    pub what: String,
    /// What is safe to do.
    pub repair: String,
}

// === impl Comparison ===

impl From<v1::CompareCloudResponse> for Comparison {
    fn from(compared: v1::CompareCloudResponse) -> Self {
        let differences = compared.differences.into_iter().map(|found| Difference {
            kind: found.kind,
            eni: found.eni,
            address: present(found.address),
            what: found.what,
            repair: found.repair,
        });
        Self {
            looked: compared.looked,
            age_ms: compared.age_ms,
            enis: compared.enis,
            differences: differences.collect(),
            revision: compared.revision,
        }
    }
}

impl Document for Comparison {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        if !self.looked {
            return "nothing is known of the cloud: the leader looks 20 s after it began to lead, if it was started with --cloud".into();
        }
        let age = self.age_ms / 1_000;
        if self.differences.is_empty() {
            let enis = self.enis;
            return format!("{enis} ENIs in the cloud, all as the ledger has them ({age}s ago)");
        }
        let one = |found: &Difference| {
            let of = match &found.address {
                Some(address) => format!("{address} on {}", found.eni),
                None => found.eni.clone(),
            };
            format!(
                "{} {of}: {}\n  safe to do: {}",
                found.kind, found.what, found.repair
            )
        };
        let shown: Vec<String> = self.differences.iter().map(one).collect();
        format!(
            "{}\n\n{} differences, {age}s ago",
            shown.join("\n"),
            shown.len()
        )
    }

    fn holds(&self) -> bool {
        self.looked && self.differences.is_empty()
    }
}
