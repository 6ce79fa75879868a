//! `berthctl vswitch set`

use berth_proto::v1;
use clap::Args;
use std::time::Duration;

use crate::change::Change;
use crate::error::Error;
use crate::moment;
use crate::output::Document;
use crate::session::Session;
use crate::view::vswitch::VSwitch;

const EXAMPLES: &str = "\
Examples:
  berthctl vswitch set pods-h --exclude 10.0.3.9-10.0.3.20 --reason 'a load balancer stands there'
  berthctl vswitch set pods-h --cidr 10.0.0.0/20

Exclusions are always said whole: without --exclude none is left but those by rule. What somebody has is never taken away:
the change is refused, and names who has it.";

/// Change a vSwitch's CIDRs, exclusions or rest while it is used
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Set {
    /// The vSwitch's name
    pub name: String,
    /// The IPv4 CIDR: it holds the old one or lies in it
    #[arg(long, value_name = "CIDR")]
    pub cidr: Option<String>,
    /// The IPv4 gateway
    #[arg(long, value_name = "ADDRESS", requires = "cidr")]
    pub gateway: Option<String>,
    /// The IPv6 CIDR: it holds the old one or lies in it
    #[arg(long, value_name = "CIDR")]
    pub ipv6_cidr: Option<String>,
    /// The IPv6 gateway
    #[arg(long, value_name = "ADDRESS", requires = "ipv6_cidr")]
    pub ipv6_gateway: Option<String>,
    /// An address or range (10.0.3.9-10.0.3.20) never given out; may be repeated
    #[arg(long = "exclude", value_name = "RANGE")]
    pub exclusions: Vec<String>,
    /// How long a released address rests before it is given out again; without it as it is
    #[arg(long, value_name = "TIME", value_parser = moment::parse_distance, allow_hyphen_values = true)]
    pub cooling: Option<Duration>,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Set ===

impl Set {
    /// Asks the leader, and shows the vSwitch.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::SetVSwitchRequest {
            change: Some(self.change.to_wire()),
            name: self.name,
            ipv4_cidr: self.cidr.unwrap_or_default(),
            ipv4_gateway: self.gateway.unwrap_or_default(),
            ipv6_cidr: self.ipv6_cidr.unwrap_or_default(),
            ipv6_gateway: self.ipv6_gateway.unwrap_or_default(),
            exclusions: self.exclusions,
            cooling_ms: self.cooling.map_or(0, |cooling| {
                u64::try_from(cooling.as_millis()).unwrap_or(u64::MAX)
            }),
        };
        let made = session.client().set_vswitch(request).await?;
        Ok(Box::new(VSwitch::from(made)))
    }
}
