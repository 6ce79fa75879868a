//! Recoveries as they are shown.

use berth_proto::v1;
use serde::Serialize;

use crate::output::Document;
use crate::table;
use crate::view::{present, shown, time};

/// The last recovery, and who lives with an address not its own.
#[derive(Debug, Serialize)]
pub struct State {
    /// Null if there never was one.
    pub recovery: Option<Recovery>,
    /// Nobody else gets their addresses; at most 1,000 of them.
    pub strays: Vec<Stray>,
    /// In all.
    pub strays_count: u32,
    /// The revision at which this was true.
    pub revision: u64,
}

/// One recovery.
#[derive(Debug, Serialize)]
pub struct Recovery {
    /// Counts, from 1.
    pub number: u64,
    /// "restored" or "forced".
    pub kind: String,
    /// Whether somebody owes a report.
    pub open: bool,
    /// The cluster that was given up.
    pub former_cluster_id: String,
    /// The one that began.
    pub cluster_id: String,
    /// The last revision before it.
    pub follows_revision: u64,
    /// Its own.
    pub began_revision: u64,
    /// When.
    pub began: Option<String>,
    /// Who ordered it.
    pub ordered_by: String,
    /// Why.
    pub reason: Option<String>,
    /// The revision of the last word; null while it is open.
    pub closed_revision: Option<u64>,
    /// Nodes that owe a report; at most 1,000 of them.
    pub waiting: Vec<Waiting>,
    /// Somebody has to say that no node joined since.
    pub unknown_nodes: bool,
    /// Who owes a report in all.
    pub waiting_count: u32,
}

/// A node that owes a report.
#[derive(Debug, Serialize)]
pub struct Waiting {
    /// Its name.
    pub node: String,
    /// What makes it this node.
    pub identity: String,
    /// Sandboxes that are known there.
    pub allocations: u32,
}

/// A sandbox that lives with addresses not its own.
#[derive(Debug, Serialize)]
pub struct Stray {
    /// On which node.
    pub node: String,
    /// "namespace/name".
    pub pod: String,
    /// Its sandbox.
    pub container_id: String,
    /// What it uses.
    pub addresses: Vec<String>,
    /// Why they are not its own.
    pub cause: String,
    /// Known since.
    pub since_revision: u64,
}

/// A word that was taken.
#[derive(Debug, Serialize)]
pub struct Confirmed {
    /// Whose; null = the nodes that are not known.
    pub node: Option<String>,
    /// Who still owes a report.
    pub waiting: u32,
    /// The revision at which it was noted.
    pub revision: u64,
}

// === impl State ===

impl From<v1::GetRecoveryResponse> for State {
    fn from(response: v1::GetRecoveryResponse) -> Self {
        Self {
            recovery: response.recovery.map(Recovery::from),
            strays: response.strays.into_iter().map(Stray::from).collect(),
            strays_count: response.strays_count,
            revision: response.revision,
        }
    }
}

impl Document for State {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let mut text = match &self.recovery {
            None => "this cluster was never begun anew".to_owned(),
            Some(recovery) => recovery.text(),
        };
        if !self.strays.is_empty() {
            text.push_str(
                "\n\nThese live with addresses that are not their own. Nobody else gets them; each ends with its pod:\n",
            );
            let header = &["NODE", "POD", "ADDRESSES", "WHY", "SINCE"];
            text.push_str(&table::columns(header, self.strays.iter().map(Stray::row)));
        }
        text
    }

    fn holds(&self) -> bool {
        self.recovery.as_ref().is_none_or(|recovery| !recovery.open)
    }
}

// === impl Recovery ===

impl Recovery {
    fn text(&self) -> String {
        let state = match self.closed_revision {
            None => format!(
                "open: nothing new is given out before {} have said what lives there",
                self.waiting_count
            ),
            Some(revision) => format!("closed at revision {revision}"),
        };
        let mut text = table::fields(&[
            ("recovery", format!("{}, {}", self.number, self.kind)),
            ("state", state),
            ("cluster", self.cluster_id.clone()),
            ("before", self.former_cluster_id.clone()),
            (
                "revisions",
                format!("{} follows {}", self.began_revision, self.follows_revision),
            ),
            ("began", shown(&self.began)),
            ("by", self.ordered_by.clone()),
            ("reason", shown(&self.reason)),
        ]);
        if !self.waiting.is_empty() {
            text.push_str("\n\n");
            let rows = self.waiting.iter().map(Waiting::row);
            text.push_str(&table::columns(
                &["WAITS FOR", "IDENTITY", "ALLOCATIONS"],
                rows,
            ));
        }
        if self.unknown_nodes {
            text.push_str(
                "\n\nNodes may have joined that it does not know: once all are back or gone,\n  \
                 berthctl recover confirm --unknown-nodes",
            );
        }
        text
    }
}

impl From<v1::RecoveryState> for Recovery {
    fn from(state: v1::RecoveryState) -> Self {
        Self {
            number: state.number,
            kind: state.kind,
            open: state.closed_revision == 0,
            former_cluster_id: state.former_cluster_id,
            cluster_id: state.cluster_id,
            follows_revision: state.follows_revision,
            began_revision: state.began_revision,
            began: time(state.began_wall_ms),
            ordered_by: state.ordered_by,
            reason: present(state.reason),
            closed_revision: (state.closed_revision > 0).then_some(state.closed_revision),
            waiting: state.waiting.into_iter().map(Waiting::from).collect(),
            unknown_nodes: state.unknown_nodes,
            waiting_count: state.waiting_count,
        }
    }
}

// === impl Waiting ===

impl Waiting {
    fn row(&self) -> Vec<String> {
        let allocations = self.allocations.to_string();
        vec![self.node.clone(), self.identity.clone(), allocations]
    }
}

impl From<v1::WaitingNode> for Waiting {
    fn from(node: v1::WaitingNode) -> Self {
        Self {
            node: node.name,
            identity: node.identity,
            allocations: node.allocations,
        }
    }
}

// === impl Stray ===

impl Stray {
    fn row(&self) -> Vec<String> {
        vec![
            self.node.clone(),
            self.pod.clone(),
            self.addresses.join(" "),
            self.cause.clone(),
            self.since_revision.to_string(),
        ]
    }
}

impl From<v1::StraySandbox> for Stray {
    fn from(stray: v1::StraySandbox) -> Self {
        let pod = stray.pod.unwrap_or_default();
        Self {
            node: stray.node,
            pod: format!("{}/{}", pod.namespace, pod.name),
            container_id: stray.attachment.unwrap_or_default().container_id,
            addresses: stray.addresses,
            cause: stray.cause,
            since_revision: stray.since_revision,
        }
    }
}

// === impl Confirmed ===

impl Confirmed {
    /// As the leader answered.
    pub fn new(node: Option<String>, response: v1::ConfirmNodeResponse) -> Self {
        Self {
            node,
            waiting: response.waiting,
            revision: response.revision,
        }
    }
}

impl Document for Confirmed {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let whose = match &self.node {
            Some(node) => format!("node {node}"),
            None => "the nodes that are not known".to_owned(),
        };
        let rest = match self.waiting {
            0 => "nobody owes a report any more: new addresses are given out".to_owned(),
            left => format!("{left} still owe a report: `berthctl recover status`"),
        };
        format!(
            "the word for {whose} is taken (revision {}); {rest}",
            self.revision
        )
    }
}
