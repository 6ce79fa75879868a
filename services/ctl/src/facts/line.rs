//! One fact as a line of JSON.

use std::collections::HashMap;

use berth_proto::v1;
use berth_proto::v1::facts_report::Report;
use serde::Deserialize;

/// A line of `facts report`'s input; `kind` says which.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// `{"kind":"node","name":"worker-1","uid":"..","labels":{}}`
    Node {
        /// The node's name.
        name: String,
        /// Kubernetes' uid.
        #[serde(default)]
        uid: String,
        /// Kubernetes' labels.
        #[serde(default)]
        labels: HashMap<String, String>,
        /// True: it does not exist any more.
        #[serde(default)]
        gone: bool,
    },
    /// `{"kind":"pod","namespace":"shop","name":"db-0","uid":"..","node":"worker-1","owner":"StatefulSet/db"}`
    Pod {
        /// The pod's namespace.
        namespace: String,
        /// The pod's name.
        name: String,
        /// Kubernetes' uid.
        uid: String,
        /// The node it was scheduled to.
        #[serde(default)]
        node: String,
        /// Kubernetes' labels.
        #[serde(default)]
        labels: HashMap<String, String>,
        /// `berth.io/static-address`, `berth.io/vswitch`.
        #[serde(default)]
        annotations: HashMap<String, String>,
        /// "StatefulSet/db"; empty for a bare pod.
        #[serde(default)]
        owner: String,
        /// True: it is on its host's network or has ended, and needs no address.
        #[serde(default)]
        no_address: bool,
        /// True: it does not exist any more.
        #[serde(default)]
        gone: bool,
    },
    /// `{"kind":"namespace","name":"shop"}`
    Namespace {
        /// The namespace's name.
        name: String,
        /// Kubernetes' labels.
        #[serde(default)]
        labels: HashMap<String, String>,
        /// True: it does not exist any more.
        #[serde(default)]
        gone: bool,
    },
    /// `{"kind":"workload","namespace":"shop","name":"StatefulSet/db","replicas":3}`
    Workload {
        /// The workload's namespace.
        namespace: String,
        /// "StatefulSet/db"
        name: String,
        /// How many pods it should have.
        #[serde(default)]
        replicas: u32,
        /// True: it does not exist any more.
        #[serde(default)]
        gone: bool,
    },
    /// `{"kind":"synced"}`: all that exists has been named.
    Synced,
}

// === impl Line ===

impl Line {
    /// Reads one line; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// As the wire wants it.
    pub fn to_wire(&self) -> Report {
        match self.clone() {
            Self::Node {
                name,
                uid,
                labels,
                gone,
            } => Report::Node(v1::NodeFact {
                name,
                uid,
                labels,
                gone,
            }),
            Self::Pod {
                namespace,
                name,
                uid,
                node,
                labels,
                annotations,
                owner,
                no_address,
                gone,
            } => Report::Pod(v1::PodFact {
                namespace,
                name,
                uid,
                node,
                labels,
                annotations,
                owner,
                gone,
                no_address,
            }),
            Self::Namespace { name, labels, gone } => {
                Report::Namespace(v1::NamespaceFact { name, labels, gone })
            }
            Self::Workload {
                namespace,
                name,
                replicas,
                gone,
            } => Report::Workload(v1::WorkloadFact {
                namespace,
                name,
                replicas,
                gone,
            }),
            Self::Synced => Report::Synced(v1::FactsSynced {}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    /// Promise: a line with a misspelt field is refused, never half understood.
    #[test]
    fn a_misspelt_field_is_refused() {
        let good =
            r#"{"kind":"pod","namespace":"shop","name":"db-0","uid":"1","owner":"StatefulSet/db"}"#;
        assert!(Line::parse(good).is_ok());
        let misspelt = good.replace("owner", "ownr");
        let error = Line::parse(&misspelt).expect_err("misspelt").to_string();
        assert!(error.contains("ownr"), "{error}");
        assert!(Line::parse(r#"{"kind":"cow"}"#).is_err());
    }
}
