//! `berthctl recover confirm`

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::recovery::Confirmed;

/// Give a node's word for it: nothing lives there but what the cluster knows
///
/// Only for a node that cannot report itself, because it is gone or was emptied. If a pod lives there with an address that
/// the backup did not know, another pod can get the same one.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  berthctl recover confirm --node worker-7 --reason 'the machine is scrapped'\n  \
                  berthctl recover confirm --unknown-nodes --reason 'no node joined since the backup'"
)]
#[group(required = true, multiple = false, id = "whose", args = ["node", "unknown_nodes"])]
pub struct Confirm {
    /// The node's name
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// The nodes that joined after the backup: there are none, or they are gone
    #[arg(long)]
    pub unknown_nodes: bool,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Confirm ===

impl Confirm {
    /// Asks the leader.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::ConfirmNodeRequest {
            change: Some(self.change.to_wire()),
            node: self.node.clone().unwrap_or_default(),
            unknown_nodes: self.unknown_nodes,
        };
        let response = session.client().confirm_node(request).await?;
        Ok(Box::new(Confirmed::new(self.node, response)))
    }
}
