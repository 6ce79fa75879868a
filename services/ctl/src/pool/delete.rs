//! `berthctl pool delete`

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::done::Done;

/// Delete a pool that has no nodes any more
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl pool delete web --reason 'moved to web-large'")]
pub struct Delete {
    /// The pool's name
    pub name: String,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Delete ===

impl Delete {
    /// Asks the leader to delete it; refused while it has nodes.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::DeleteNodePoolRequest {
            change: Some(self.change.to_wire()),
            name: self.name.clone(),
        };
        let response = session.client().delete_node_pool(request).await?;
        Ok(Box::new(Done::deleted(
            "node pool",
            self.name,
            response.revision,
        )))
    }
}
