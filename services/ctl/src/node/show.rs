//! `berthctl node show`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::Session;
use crate::view::node::Node;

/// One node: its identity, limits and use
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl node show worker-1")]
pub struct Show {
    /// The node's name
    pub name: String,
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl Show ===

impl Show {
    /// Asks for it.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::GetNodeRequest {
            name: self.name,
            stale: self.freshness.stale,
        };
        let found = session.client().get_node(request).await?;
        Ok(Box::new(Node::from(found)))
    }
}
