//! `berthctl claim create`

use berth_proto::v1;
use clap::Args;

use crate::allocation::pod::PodName;
use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::claim::Claim;

const EXAMPLES: &str = "\
Examples:
  berthctl claim create shop/db-0 --vswitch zone-a
  berthctl claim create shop/db-0 --vswitch zone-a --address 10.0.3.7 --policy ttl=10m --reason 'firewall rule 12'";

/// Reserve an address for one pod, before or without the pod
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Create {
    /// The pod, as NAMESPACE/NAME
    pub pod: PodName,
    /// The Kubernetes cluster, if this Berth serves several
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub cluster: String,
    /// The vSwitch to take the address from
    #[arg(long, value_name = "NAME")]
    pub vswitch: String,
    /// A specific address, at most one per family; without it any free one
    #[arg(long = "address", value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    /// What happens when the pod goes: "never" released, released on "delete", or "ttl=10m" after it
    #[arg(long, default_value = "never")]
    pub policy: String,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Create ===

impl Create {
    /// Asks the leader to create it, and shows it.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::CreateClaimRequest {
            change: Some(self.change.to_wire()),
            cluster: self.cluster,
            namespace: self.pod.namespace,
            pod: self.pod.name,
            vswitch: self.vswitch,
            addresses: self.addresses,
            policy: self.policy,
        };
        let made = session.client().create_claim(request).await?;
        Ok(Box::new(Claim::from(made)))
    }
}
