//! `berthctl pool set`

use berth_proto::v1;
use clap::Args;

use crate::capacity::Mode;
use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::pool::Pool;

const EXAMPLES: &str = "\
Examples:
  berthctl pool set web --vswitch pods-h --vswitch pods-i --security-group sg-0abc --max-idle 20
  berthctl pool set web --vswitch pods-h --vswitch pods-i --vswitch pods-j --drain pods-h --security-group sg-0abc
  berthctl pool set database --mode exclusive --vswitch pods-h --security-group sg-0abc --security-group sg-0def

What is not said is set to its default: a pool is always set whole. Its mode stays while it has nodes.
A drained vSwitch gives nothing new; its ENIs go when the pods on them are gone.
A blocked ENI gets nothing new, and goes when the pods on it are gone.";

/// Make a pool of nodes whose pods take addresses of network interfaces, or change one
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Set {
    /// Its name; an unknown one makes a pool
    pub name: String,
    /// How pods get at interfaces
    #[arg(long, value_enum, default_value_t = Mode::Trunk)]
    pub mode: Mode,
    /// A vSwitch with a --cloud-id; repeat it for more, one at least in each zone with nodes
    #[arg(long = "vswitch", value_name = "NAME", required = true)]
    pub vswitches: Vec<String>,
    /// One of these vSwitches that nothing new comes from; may be repeated
    #[arg(long = "drain", value_name = "NAME")]
    pub draining: Vec<String>,
    /// Which vSwitch of a zone is taken: in the order given, any, or the one with most free addresses
    #[arg(long, default_value = "ordered", value_parser = ["ordered", "random", "most-free"])]
    pub choice: String,
    /// For every interface; repeat it for more, up to 10
    #[arg(long = "security-group", value_name = "ID", required = true)]
    pub security_groups: Vec<String>,
    /// Warm addresses that each node keeps at least, per family
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub min_idle: u32,
    /// Warm addresses that each node keeps at most, per family
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub max_idle: u32,
    /// An interface (eni-...) that is to go; may be repeated
    #[arg(long = "block-eni", value_name = "ID")]
    pub blocked_enis: Vec<String>,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Set ===

impl Set {
    /// Asks the leader, and shows the pool.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::SetNodePoolRequest {
            change: Some(self.change.to_wire()),
            name: self.name,
            mode: self.mode.to_wire(),
            vswitches: self.vswitches,
            draining: self.draining,
            choice: self.choice,
            security_groups: self.security_groups,
            min_idle: self.min_idle,
            max_idle: self.max_idle,
            blocked_enis: self.blocked_enis,
        };
        let made = session.client().set_node_pool(request).await?;
        Ok(Box::new(Pool::from(made)))
    }
}
