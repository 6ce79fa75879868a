//! An allocation as it is shown.

use berth_proto::v1;
use serde::Serialize;

use super::{Item, present, shown, time};
use crate::table;

/// An address bound to an attachment.
#[derive(Debug, Serialize)]
pub struct Allocation {
    /// The pod's namespace; null if the runtime named none.
    pub namespace: Option<String>,
    /// The pod's name; null if the runtime named none.
    pub pod: Option<String>,
    /// The pod's uid; null if the runtime named none.
    pub pod_uid: Option<String>,
    /// The node the sandbox is on.
    pub node: String,
    /// IPv4 first.
    pub addresses: Vec<String>,
    /// Where the addresses lie.
    pub vswitch: String,
    /// The ENI they sit on; null on a routed network.
    pub eni: Option<String>,
    /// The Kubernetes cluster.
    pub cluster: String,
    /// The CNI network.
    pub network: String,
    /// The sandbox.
    pub container_id: String,
    /// The interface in the sandbox.
    pub interface: String,
    /// The claim's name; null if the address is not static.
    pub claim: Option<String>,
    /// The bind's generation.
    pub generation: u64,
    /// The revision of the bind.
    pub bound_revision: u64,
    /// When it was bound.
    pub bound_at: Option<String>,
}

// === impl Allocation ===

impl From<v1::Allocation> for Allocation {
    fn from(allocation: v1::Allocation) -> Self {
        let attachment = allocation.attachment.unwrap_or_default();
        let pod = allocation.pod.unwrap_or_default();
        Self {
            namespace: present(pod.namespace),
            pod: present(pod.name),
            pod_uid: present(pod.uid),
            node: allocation.node,
            addresses: allocation.addresses,
            vswitch: allocation.vswitch,
            eni: present(allocation.eni),
            cluster: attachment.cluster,
            network: attachment.network,
            container_id: attachment.container_id,
            interface: attachment.interface,
            claim: present(allocation.claim),
            generation: allocation.generation,
            bound_revision: allocation.bound_revision,
            bound_at: time(allocation.bound_wall_ms),
        }
    }
}

impl Allocation {
    /// "namespace/name", or what is known of it.
    pub fn pod_name(&self) -> String {
        match (&self.namespace, &self.pod) {
            (Some(namespace), Some(pod)) => format!("{namespace}/{pod}"),
            (_, pod) => shown(pod),
        }
    }
}

impl Item for Allocation {
    const HEADER: &'static [&'static str] =
        &["POD", "ADDRESSES", "NODE", "VSWITCH", "STATIC", "BOUND AT"];
    const NONE: &'static str = "no allocation";

    fn rows(&self) -> Vec<Vec<String>> {
        vec![vec![
            self.pod_name(),
            self.addresses.join(","),
            self.node.clone(),
            self.vswitch.clone(),
            if self.claim.is_some() {
                "yes".to_owned()
            } else {
                "no".to_owned()
            },
            shown(&self.bound_at),
        ]]
    }

    fn in_full(&self) -> String {
        table::fields(&[
            ("pod", self.pod_name()),
            ("pod uid", shown(&self.pod_uid)),
            ("addresses", self.addresses.join(", ")),
            ("node", self.node.clone()),
            ("vSwitch", self.vswitch.clone()),
            ("ENI", shown(&self.eni)),
            ("claim", shown(&self.claim)),
            ("cluster", self.cluster.clone()),
            ("network", self.network.clone()),
            ("container", self.container_id.clone()),
            ("interface", self.interface.clone()),
            ("bound at", shown(&self.bound_at)),
            ("bound in revision", self.bound_revision.to_string()),
            ("generation", self.generation.to_string()),
        ])
    }
}
