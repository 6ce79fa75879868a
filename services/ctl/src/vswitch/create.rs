//! `berthctl vswitch create`

use std::time::Duration;

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::moment;
use crate::output::Document;
use crate::session::Session;
use crate::view::vswitch::VSwitch;

const EXAMPLES: &str = "\
Examples:
  berthctl vswitch create zone-a --zone a --cidr 10.0.3.0/24
  berthctl vswitch create zone-b --zone b --cidr 10.0.4.0/24 --ipv6-cidr fd00:4::/64 --exclude 10.0.4.100-10.0.4.120
  berthctl vswitch create pods-h --zone cn-hangzhou-h --cidr 10.1.0.0/20 --network vpc --cloud-id vsw-0abc";

/// Make a vSwitch: a subnet of one zone that pods take their addresses from
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Create {
    /// Its name, unique in the cluster
    pub name: String,
    /// The zone it lies in; nodes of that zone use it
    #[arg(long)]
    pub zone: String,
    /// IPv4 subnet, such as 10.0.3.0/24
    #[arg(long, value_name = "CIDR", required_unless_present = "ipv6_cidr")]
    pub cidr: Option<String>,
    /// IPv6 subnet, such as fd00:3::/64; with --cidr the vSwitch is dual-stack
    #[arg(long, value_name = "CIDR")]
    pub ipv6_cidr: Option<String>,
    /// IPv4 gateway; without it, by the network's rule
    #[arg(long, value_name = "ADDRESS")]
    pub gateway: Option<String>,
    /// IPv6 gateway; without it, by the network's rule
    #[arg(long, value_name = "ADDRESS")]
    pub ipv6_gateway: Option<String>,
    /// An address or range (10.0.3.9-10.0.3.20) never given out; may be repeated
    #[arg(long = "exclude", value_name = "RANGE")]
    pub exclusions: Vec<String>,
    /// How long a released address rests before it is given out again; without it 30s
    #[arg(long, value_name = "TIME", value_parser = moment::parse_distance, allow_hyphen_values = true)]
    pub cooling: Option<Duration>,
    /// "routed" or "vpc": which addresses are excluded by rule
    #[arg(long, value_name = "KIND", default_value = "routed", value_parser = ["routed", "vpc"])]
    pub network: String,
    /// As the cloud names it: vsw-...; with --network vpc. Without it no network interface is made in it
    #[arg(long, value_name = "ID")]
    pub cloud_id: Option<String>,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Create ===

impl Create {
    /// Asks the leader to create it, and shows what was made.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let made = session.client().create_vswitch(self.request()).await?;
        Ok(Box::new(VSwitch::from(made)))
    }

    fn request(self) -> v1::CreateVSwitchRequest {
        v1::CreateVSwitchRequest {
            change: Some(self.change.to_wire()),
            name: self.name,
            zone: self.zone,
            ipv4_cidr: self.cidr.unwrap_or_default(),
            ipv6_cidr: self.ipv6_cidr.unwrap_or_default(),
            ipv4_gateway: self.gateway.unwrap_or_default(),
            ipv6_gateway: self.ipv6_gateway.unwrap_or_default(),
            exclusions: self.exclusions,
            cooling_ms: self.cooling.map_or(0, |cooling| {
                u64::try_from(cooling.as_millis()).unwrap_or(u64::MAX)
            }),
            network_kind: self.network,
            cloud_id: self.cloud_id.unwrap_or_default(),
        }
    }
}
