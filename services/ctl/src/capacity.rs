//! `berthctl capacity`

use berth_proto::v1;
use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::capacity::Capacities;

const EXAMPLES: &str = "\
Examples:
  berthctl capacity ecs.g7.4xlarge
  berthctl capacity ecs.g7.large --mode exclusive
  berthctl capacity ecs.g6.4xlarge --dual-stack --mode shared
  berthctl capacity ecs.g7.4xlarge --rdma --rdma-enis 1 -o json

PODS is what the type decides. --max-pods changes only what is left for pods on the host's network.
STATIC are the pods that can keep their address: on shared ENIs all but one address of each.
OWN ENI are the pods with a vSwitch and security groups of their own; those of a trunk come on top of PODS.

Exit status 1 if a node of that type may join in none of the modes shown.";

/// How many pods a node of an instance type has room for, and whether it may join
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Capacity {
    /// The instance type, for example ecs.g7.4xlarge
    #[arg(value_name = "INSTANCE_TYPE")]
    pub instance_type: String,
    /// This mode alone; without it, all three
    #[arg(long, value_enum)]
    pub mode: Option<Mode>,
    /// Pods have IPv6 addresses too
    #[arg(long)]
    pub dual_stack: bool,
    /// ENIs are kept for eRDMA
    #[arg(long)]
    pub rdma: bool,
    /// How many eRDMA interfaces the type can have (EriQuantity), which the catalogue does not know
    #[arg(long, value_name = "COUNT", requires = "rdma")]
    pub rdma_enis: Option<u32>,
    /// The kubelet's maxPods; without it, as the cloud sets it
    #[arg(long, value_name = "COUNT")]
    pub max_pods: Option<u32>,
}

/// How the pods of a node get at network interfaces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Many pods on one interface
    #[default]
    Shared,
    /// The same, with a trunk whose members are single pods' interfaces
    Trunk,
    /// An interface for each pod
    Exclusive,
}

// === impl Mode ===

impl Mode {
    /// Its name on the wire.
    pub fn to_wire(self) -> String {
        let name = match self {
            Self::Shared => "shared",
            Self::Trunk => "shared+trunk",
            Self::Exclusive => "exclusive",
        };
        name.to_owned()
    }
}

// === impl Capacity ===

impl Capacity {
    /// Asks any server.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::CapacityRequest {
            instance_type: self.instance_type,
            mode: self.mode.map(Mode::to_wire).unwrap_or_default(),
            dual_stack: self.dual_stack,
            rdma: self.rdma,
            rdma_enis: self.rdma_enis,
            max_pods: self.max_pods,
        };
        let response = session.client().capacity(request).await?;
        Ok(Box::new(Capacities::from(response)))
    }
}
