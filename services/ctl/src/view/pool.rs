//! A pool of nodes as it is shown.

use berth_proto::v1;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

use super::Item;
use crate::output::Document;
use crate::table;

/// A pool, its settings and what it has.
#[derive(Debug, Serialize)]
pub struct Pool {
    /// The ledger's id.
    pub id: u64,
    /// Unique.
    pub name: String,
    /// "shared", "shared+trunk" or "exclusive".
    pub mode: String,
    /// In their order.
    pub vswitches: Vec<String>,
    /// Those that nothing new comes from.
    pub draining: Vec<String>,
    /// "ordered", "random" or "most-free".
    pub choice: String,
    /// For every ENI.
    pub security_groups: Vec<String>,
    /// Per node.
    pub min_idle: u32,
    /// Per node.
    pub max_idle: u32,
    /// Of a new node.
    pub warm_up: u32,
    /// From when on an idle address goes back, ms; 0 = never by age.
    pub reclaim_after_ms: u64,
    /// 0 = all at once.
    pub reclaim_batch: u32,
    /// Between two batches.
    pub reclaim_every_ms: u64,
    /// Those that are to go.
    pub blocked_enis: Vec<String>,
    /// What ENIs have to be tagged with.
    pub eni_tags: BTreeMap<String, String>,
    /// DataPath V2, IPVLAN.
    pub acceleration: bool,
    /// NetworkPolicies are meant to hold.
    pub network_policy: bool,
    /// What is allowed and unwise.
    pub warnings: Vec<String>,
    /// How many it has.
    pub nodes: u32,
    /// On its nodes.
    pub enis: u32,
    /// Cloud calls under way.
    pub jobs: u32,
    /// The revision at which this was true.
    pub revision: u64,
}

// === impl Pool ===

impl From<v1::NodePool> for Pool {
    fn from(pool: v1::NodePool) -> Self {
        Self {
            id: pool.id,
            name: pool.name,
            mode: pool.mode,
            vswitches: pool.vswitches,
            draining: pool.draining,
            choice: pool.choice,
            security_groups: pool.security_groups,
            min_idle: pool.min_idle,
            max_idle: pool.max_idle,
            warm_up: pool.warm_up,
            reclaim_after_ms: pool.reclaim_after_ms,
            reclaim_batch: pool.reclaim_batch,
            reclaim_every_ms: pool.reclaim_every_ms,
            blocked_enis: pool.blocked_enis,
            eni_tags: pool.eni_tags.into_iter().collect(),
            acceleration: pool.acceleration,
            network_policy: pool.network_policy,
            warnings: pool.warnings,
            nodes: pool.nodes,
            enis: pool.enis,
            jobs: pool.jobs,
            revision: pool.revision,
        }
    }
}

impl Pool {
    /// "pods-h, pods-i (draining)"
    fn drawn_from(&self) -> String {
        let shown = |name: &String| match self.draining.contains(name) {
            true => format!("{name} (draining)"),
            false => name.clone(),
        };
        let names: Vec<String> = self.vswitches.iter().map(shown).collect();
        names.join(", ")
    }

    fn warmed_up(&self) -> String {
        match self.warm_up {
            0 => String::new(),
            count => format!("{count} on a new node"),
        }
    }

    /// "after 10m idle, 5 every 1m"
    fn reclaimed(&self) -> String {
        let time = |ms| humantime::format_duration(Duration::from_millis(ms)).to_string();
        if self.reclaim_after_ms == 0 {
            return String::new();
        }
        let mut text = format!("after {} idle", time(self.reclaim_after_ms));
        if self.reclaim_batch > 0 {
            text.push_str(&format!(", {} at once", self.reclaim_batch));
        }
        if self.reclaim_every_ms > 0 {
            text.push_str(&format!(", every {}", time(self.reclaim_every_ms)));
        }
        text
    }

    fn tags(&self) -> String {
        let tags = self.eni_tags.iter();
        let tags: Vec<String> = tags.map(|(key, value)| format!("{key}={value}")).collect();
        tags.join(", ")
    }

    fn data_path(&self) -> String {
        let parts = [
            (self.acceleration, "accelerated"),
            (self.network_policy, "with NetworkPolicy"),
        ];
        let on = parts.iter().filter(|(on, _)| *on);
        on.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
    }

    fn idle(&self) -> String {
        format!("{}-{}", self.min_idle, self.max_idle)
    }
}

impl Item for Pool {
    const HEADER: &'static [&'static str] = &[
        "NAME",
        "MODE",
        "VSWITCHES",
        "CHOICE",
        "IDLE",
        "NODES",
        "ENIS",
        "JOBS",
    ];
    const NONE: &'static str = "no node pool yet; make one with `berthctl pool set NAME --vswitch NAME --security-group ID`";

    fn rows(&self) -> Vec<Vec<String>> {
        vec![vec![
            self.name.clone(),
            self.mode.clone(),
            self.drawn_from(),
            self.choice.clone(),
            self.idle(),
            self.nodes.to_string(),
            self.enis.to_string(),
            self.jobs.to_string(),
        ]]
    }

    fn in_full(&self) -> String {
        table::fields(&[
            ("name", self.name.clone()),
            ("mode", self.mode.clone()),
            ("vSwitches", self.drawn_from()),
            ("choice", self.choice.clone()),
            ("security groups", self.security_groups.join(", ")),
            ("idle per node", self.idle()),
            ("warm-up", self.warmed_up()),
            ("reclaimed", self.reclaimed()),
            ("ENI tags", self.tags()),
            ("data path", self.data_path()),
            ("blocked ENIs", self.blocked_enis.join(", ")),
            ("nodes", self.nodes.to_string()),
            ("ENIs", self.enis.to_string()),
            ("cloud calls under way", self.jobs.to_string()),
            ("revision", self.revision.to_string()),
            ("warning", self.warnings.join("; ")),
        ])
    }
}

impl Document for Pool {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        self.in_full()
    }
}
