//! A node as it is shown.

use berth_proto::v1;
use serde::Serialize;

use super::{Item, present, shown};
use crate::output::Document;
use crate::table;

/// A node, its limits and its use.
#[derive(Debug, Serialize)]
pub struct Node {
    /// The ledger's id; a re-created node of the same name has another.
    pub id: u64,
    /// The Kubernetes name.
    pub name: String,
    /// The zone it stands in.
    pub zone: String,
    /// Instance id or machine id.
    pub identity: String,
    /// Null if it has no ENI limit.
    pub instance_type: Option<String>,
    /// Null if it is in none.
    pub pool: Option<String>,
    /// Warm addresses kept, per family.
    pub warm_target: u32,
    /// Null if there is no limit.
    pub pod_capacity: Option<u32>,
    /// Null if there is no limit.
    pub eni_slots: Option<u32>,
    /// Null if there is no limit.
    pub addresses_per_eni: Option<u32>,
    /// Attachments with an address.
    pub allocations: u32,
    /// Warm addresses that no pod has.
    pub idle: u32,
    /// The revision at which this was true.
    pub revision: u64,
}

// === impl Node ===

impl From<v1::Node> for Node {
    fn from(node: v1::Node) -> Self {
        let limit = |count: u32| (count != 0).then_some(count);
        Self {
            id: node.id,
            name: node.name,
            zone: node.zone,
            identity: node.identity,
            instance_type: present(node.instance_type),
            pool: present(node.pool),
            warm_target: node.warm_target,
            pod_capacity: limit(node.pod_capacity),
            eni_slots: limit(node.eni_slots),
            addresses_per_eni: limit(node.addresses_per_eni),
            allocations: node.allocations,
            idle: node.idle,
            revision: node.revision,
        }
    }
}

fn limit(count: Option<u32>) -> String {
    count.map_or("no limit".to_owned(), |count| count.to_string())
}

impl Item for Node {
    const HEADER: &'static [&'static str] = &[
        "NAME",
        "ID",
        "ZONE",
        "IDENTITY",
        "TYPE",
        "PODS",
        "CAPACITY",
        "IDLE",
        "WARM TARGET",
    ];
    const NONE: &'static str =
        "no node yet; make one known with `berthctl node register NAME --zone ZONE`";

    fn rows(&self) -> Vec<Vec<String>> {
        vec![vec![
            self.name.clone(),
            self.id.to_string(),
            self.zone.clone(),
            self.identity.clone(),
            shown(&self.instance_type),
            self.allocations.to_string(),
            limit(self.pod_capacity),
            self.idle.to_string(),
            self.warm_target.to_string(),
        ]]
    }

    fn in_full(&self) -> String {
        table::fields(&[
            ("name", self.name.clone()),
            ("id", self.id.to_string()),
            ("zone", self.zone.clone()),
            ("identity", self.identity.clone()),
            ("instance type", shown(&self.instance_type)),
            ("pool", shown(&self.pool)),
            ("ENI slots", limit(self.eni_slots)),
            ("addresses per ENI", limit(self.addresses_per_eni)),
            ("pod capacity", limit(self.pod_capacity)),
            ("pods with addresses", self.allocations.to_string()),
            ("idle addresses", self.idle.to_string()),
            ("warm target", self.warm_target.to_string()),
            ("revision", self.revision.to_string()),
        ])
    }
}

impl Document for Node {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        self.in_full()
    }
}
