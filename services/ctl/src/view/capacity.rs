//! What an instance type has room for, as it is shown.

use berth_proto::v1;
use serde::Serialize;

use crate::output::Document;
use crate::table;

/// A type's limits, and what a node of it has room for in each mode asked about.
#[derive(Debug, Serialize)]
pub struct Capacities {
    /// As the cloud names it.
    pub instance_type: String,
    /// What the cloud gives it.
    pub limits: Limits,
    /// In the order shared, shared+trunk, exclusive.
    pub modes: Vec<Mode>,
}

/// As DescribeInstanceTypes names them; null: not known.
#[derive(Debug, Serialize)]
pub struct Limits {
    /// With the primary one.
    pub enis: u32,
    /// With members of a trunk.
    pub total_enis: Option<u32>,
    /// IPv4 addresses.
    pub addresses_per_eni: u32,
    /// IPv6 addresses.
    pub ipv6_per_eni: Option<u32>,
    /// Whether an ENI can be a trunk.
    pub can_trunk: Option<bool>,
    /// ENIs that can be eRDMA.
    pub rdma_enis: Option<u32>,
}

/// One mode's numbers.
#[derive(Debug, Serialize)]
pub struct Mode {
    /// "shared", "shared+trunk", "exclusive".
    pub mode: String,
    /// Whether a node of the type may join.
    pub may_join: bool,
    /// With an address of an ENI.
    pub pods: u64,
    /// Of these, pods that can keep it.
    pub static_pods: u64,
    /// With an ENI of their own; null: not known.
    pub own_eni_pods: Option<u64>,
    /// Kept for eRDMA.
    pub rdma_enis: u32,
    /// With an address of an eRDMA ENI.
    pub rdma_pods: u64,
    /// Of all kinds.
    pub max_pods: u64,
    /// On the host's network.
    pub host_network_pods: u64,
    /// Addresses for which max_pods leaves no pod.
    pub stranded_addresses: u64,
    /// Why it may not join.
    pub obstacles: Vec<Obstacle>,
}

/// One reason.
#[derive(Debug, Serialize)]
pub struct Obstacle {
    /// For programs.
    pub code: String,
    /// With both numbers.
    pub message: String,
}

// === impl Capacities ===

impl From<v1::CapacityResponse> for Capacities {
    fn from(response: v1::CapacityResponse) -> Self {
        Self {
            instance_type: response.instance_type,
            limits: Limits::from(response.limits.unwrap_or_default()),
            modes: response.modes.into_iter().map(Mode::from).collect(),
        }
    }
}

impl Document for Capacities {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let mut parts = vec![self.head(), self.table()];
        let mut lines: Vec<String> = Vec::new();
        for line in self.modes.iter().flat_map(Mode::lines) {
            // Both shared modes often have the same to say.
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        parts.extend((!lines.is_empty()).then(|| lines.join("\n")));
        parts.join("\n\n")
    }

    fn holds(&self) -> bool {
        self.modes.iter().any(|mode| mode.may_join)
    }
}

impl Capacities {
    fn head(&self) -> String {
        let limits = &self.limits;
        let trunk = limits.can_trunk.map(|can| if can { "yes" } else { "no" });
        format!(
            "{}: {} ENIs with the primary one; on each IPv4 addresses {}, IPv6 addresses {}; trunk {}",
            self.instance_type,
            limits.enis,
            limits.addresses_per_eni,
            known(limits.ipv6_per_eni),
            known(trunk)
        )
    }

    fn table(&self) -> String {
        // Most nodes have no eRDMA: two columns of zeros would only be in the way.
        let rdma = self.modes.iter().any(|mode| mode.rdma_enis > 0);
        let mut header = vec!["MODE", "JOINS", "PODS", "STATIC", "OWN ENI"];
        header.extend(if rdma {
            &["RDMA ENIS", "RDMA PODS"][..]
        } else {
            &[]
        });
        header.extend(["MAX PODS", "HOST NETWORK"]);
        table::columns(&header, self.modes.iter().map(|mode| mode.row(rdma)))
    }
}

// === impl Mode ===

impl Mode {
    fn row(&self, rdma: bool) -> Vec<String> {
        let joins = if self.may_join { "yes" } else { "no" };
        let mut row = vec![
            self.mode.clone(),
            joins.to_owned(),
            self.pods.to_string(),
            self.static_pods.to_string(),
            known(self.own_eni_pods),
        ];
        let kept = [self.rdma_enis.to_string(), self.rdma_pods.to_string()];
        row.extend(kept.into_iter().filter(|_| rdma));
        row.extend([
            self.max_pods.to_string(),
            self.host_network_pods.to_string(),
        ]);
        row
    }

    fn lines(&self) -> Vec<String> {
        let obstacles = self.obstacles.iter();
        let mut lines: Vec<String> = obstacles.map(|one| one.message.clone()).collect();
        if self.stranded_addresses > 0 {
            lines.push(format!(
                "{} mode: {} addresses have no pod, because the kubelet starts {} pods at most and there is room for {}",
                self.mode,
                self.stranded_addresses,
                self.max_pods,
                self.pods.saturating_add(self.rdma_pods)
            ));
        }
        lines
    }
}

impl From<v1::ModeCapacity> for Mode {
    fn from(row: v1::ModeCapacity) -> Self {
        let obstacle = |one: v1::Obstacle| Obstacle {
            code: one.code,
            message: one.message,
        };
        Self {
            mode: row.mode,
            may_join: row.obstacles.is_empty(),
            pods: row.pods,
            static_pods: row.static_pods,
            own_eni_pods: row.own_eni_pods,
            rdma_enis: row.rdma_enis,
            rdma_pods: row.rdma_pods,
            max_pods: row.max_pods,
            host_network_pods: row.host_network_pods,
            stranded_addresses: row.stranded_addresses,
            obstacles: row.obstacles.into_iter().map(obstacle).collect(),
        }
    }
}

// === impl Limits ===

impl From<v1::InstanceLimits> for Limits {
    fn from(limits: v1::InstanceLimits) -> Self {
        Self {
            enis: limits.enis,
            total_enis: limits.total_enis,
            addresses_per_eni: limits.addresses_per_eni,
            ipv6_per_eni: limits.ipv6_per_eni,
            can_trunk: limits.can_trunk,
            rdma_enis: limits.rdma_enis,
        }
    }
}

fn known<N: ToString>(number: Option<N>) -> String {
    number.map_or("not known".to_owned(), |number| number.to_string())
}
