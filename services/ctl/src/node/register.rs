//! `berthctl node register`

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::node::Node;

const EXAMPLES: &str = "\
Examples:
  berthctl node register worker-1 --zone a --identity i-0abc
  berthctl node register worker-2 --zone a --identity i-0def --instance-type ecs.g7.4xlarge --warm-target 10
  berthctl node register worker-3 --zone cn-hangzhou-h --identity i-0xyz --instance-type ecs.g7.4xlarge --pool web";

/// Make a node known, so that its pods get addresses
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Register {
    /// Its Kubernetes name, as the plugin's config names it
    pub name: String,
    /// The zone it stands in
    #[arg(long)]
    pub zone: String,
    /// Instance id, else machine id; a re-created node of the same name has another. Without it, the name
    #[arg(long, value_name = "ID")]
    pub identity: Option<String>,
    /// Decides how many addresses it can have; without it there is no limit
    #[arg(long, value_name = "TYPE")]
    pub instance_type: Option<String>,
    /// Register a type that gives too few pods to join; see `berthctl capacity`
    #[arg(long)]
    pub allow_few_pods: bool,
    /// The pool of its kind; then --identity is the instance's id, and its pods take addresses of ENIs
    #[arg(
        long,
        value_name = "NAME",
        requires = "instance_type",
        requires = "identity"
    )]
    pub pool: Option<String>,
    /// Warm addresses to keep on the node, per family
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub warm_target: u32,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Register ===

impl Register {
    /// Asks the leader to register it, and shows it.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::RegisterNodeRequest {
            change: Some(self.change.to_wire()),
            identity: self.identity.unwrap_or_else(|| self.name.clone()),
            name: self.name,
            zone: self.zone,
            instance_type: self.instance_type.unwrap_or_default(),
            warm_target: self.warm_target,
            allow_few_pods: self.allow_few_pods,
            pool: self.pool.unwrap_or_default(),
        };
        let made = session.client().register_node(request).await?;
        Ok(Box::new(Node::from(made)))
    }
}
