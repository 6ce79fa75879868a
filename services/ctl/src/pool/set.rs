//! `berthctl pool set`

use berth_proto::v1;
use clap::Args;
use std::time::Duration;

use crate::capacity::Mode;
use crate::change::Change;
use crate::error::Error;
use crate::moment;
use crate::output::Document;
use crate::session::Session;
use crate::view::pool::Pool;

const EXAMPLES: &str = "\
Examples:
  berthctl pool set web --vswitch pods-h --vswitch pods-i --security-group sg-0abc --max-idle 20
  berthctl pool set web --vswitch pods-h --vswitch pods-i --vswitch pods-j --drain pods-h --security-group sg-0abc
  berthctl pool set web --vswitch pods-h --security-group sg-0abc --min-idle 3 --warm-up 10 --reclaim-after 10m --reclaim-batch 5
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
    /// Warm addresses that a new node gets once, those of pods included; --max-idle does not bound them
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub warm_up: u32,
    /// An address above --min-idle that was idle for so long goes back ("10m"); without it only what is above --max-idle does
    #[arg(long, value_name = "TIME", value_parser = moment::parse_distance)]
    pub reclaim_after: Option<Duration>,
    /// So many go back at once [default: all]
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 0,
        requires = "reclaim_after",
        hide_default_value = true
    )]
    pub reclaim_batch: u32,
    /// The time between two batches ("1m")
    #[arg(long, value_name = "TIME", value_parser = moment::parse_distance, requires = "reclaim_after")]
    pub reclaim_every: Option<Duration>,
    /// A tag that interfaces have to have: new ones get it, any other without it is left alone, so tag those that are there first; may be
    /// repeated
    #[arg(long = "eni-tag", value_name = "KEY=VALUE", value_parser = tag)]
    pub eni_tags: Vec<(String, String)>,
    /// The nodes' data path is accelerated (DataPath V2, IPVLAN); not of exclusive nodes
    #[arg(long)]
    pub acceleration: bool,
    /// NetworkPolicies are to hold on the nodes; on exclusive ones they do not, and you are warned
    #[arg(long)]
    pub network_policy: bool,
    /// An interface (eni-...) that is to go; may be repeated
    #[arg(long = "block-eni", value_name = "ID")]
    pub blocked_enis: Vec<String>,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("is not KEY=VALUE".into()),
    }
}

fn ms(time: Option<Duration>) -> u64 {
    time.map_or(0, |time| {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    })
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
            eni_tags: self.eni_tags.into_iter().collect(),
            warm_up: self.warm_up,
            reclaim_after_ms: ms(self.reclaim_after),
            reclaim_batch: self.reclaim_batch,
            reclaim_every_ms: ms(self.reclaim_every),
            acceleration: self.acceleration,
            network_policy: self.network_policy,
        };
        let made = session.client().set_node_pool(request).await?;
        Ok(Box::new(Pool::from(made)))
    }
}
