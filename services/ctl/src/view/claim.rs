//! A claim as it is shown.

use berth_proto::v1;
use serde::Serialize;

use super::{Item, present, shown};
use crate::output::Document;
use crate::table;

/// A durable right of one pod to its addresses.
#[derive(Debug, Serialize)]
pub struct Claim {
    /// The ledger's id.
    pub id: u64,
    /// "cluster/namespace/pod".
    pub name: String,
    /// The Kubernetes cluster.
    pub cluster: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// Where the addresses lie.
    pub vswitch: String,
    /// IPv4 first.
    pub addresses: Vec<String>,
    /// "never", "delete" or "ttl=10m".
    pub policy: String,
    /// "held", "bound" or "handover".
    pub state: String,
    /// The attachment that has it, "network/container/interface"; null if none.
    pub holder: Option<String>,
    /// The holder's node; null if none.
    pub node: Option<String>,
    /// Ledger time at which the policy releases it; null if no such clock runs.
    pub release_at_ms: Option<u64>,
    /// Grows with every change of holder.
    pub generation: u64,
    /// The revision at which this was true.
    pub revision: u64,
}

// === impl Claim ===

impl From<v1::Claim> for Claim {
    fn from(claim: v1::Claim) -> Self {
        Self {
            id: claim.id,
            name: claim.name,
            cluster: claim.cluster,
            namespace: claim.namespace,
            pod: claim.pod,
            vswitch: claim.vswitch,
            addresses: claim.addresses,
            policy: claim.policy,
            state: claim.state,
            holder: present(claim.holder),
            node: present(claim.node),
            release_at_ms: (claim.release_at_ms != 0).then_some(claim.release_at_ms),
            generation: claim.generation,
            revision: claim.revision,
        }
    }
}

impl Item for Claim {
    const HEADER: &'static [&'static str] =
        &["NAME", "ADDRESSES", "VSWITCH", "POLICY", "STATE", "NODE"];
    const NONE: &'static str = "no claim; a pod with the annotation berth.io/static-address makes one, or `berthctl claim create`";

    fn rows(&self) -> Vec<Vec<String>> {
        vec![vec![
            self.name.clone(),
            self.addresses.join(","),
            self.vswitch.clone(),
            self.policy.clone(),
            self.state.clone(),
            shown(&self.node),
        ]]
    }

    fn in_full(&self) -> String {
        table::fields(&[
            ("name", self.name.clone()),
            ("addresses", self.addresses.join(", ")),
            ("vSwitch", self.vswitch.clone()),
            ("policy", self.policy.clone()),
            ("state", self.state.clone()),
            ("holder", shown(&self.holder)),
            ("node", shown(&self.node)),
            (
                "released at",
                self.release_at_ms
                    .map_or(String::new(), |at| format!("{at} ms of ledger time")),
            ),
            ("generation", self.generation.to_string()),
            ("revision", self.revision.to_string()),
        ])
    }
}

impl Document for Claim {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        self.in_full()
    }
}
