//! A pool of nodes as it is shown.

use berth_proto::v1;
use serde::Serialize;

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
    /// Those that are to go.
    pub blocked_enis: Vec<String>,
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
            blocked_enis: pool.blocked_enis,
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
            ("blocked ENIs", self.blocked_enis.join(", ")),
            ("nodes", self.nodes.to_string()),
            ("ENIs", self.enis.to_string()),
            ("cloud calls under way", self.jobs.to_string()),
            ("revision", self.revision.to_string()),
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
