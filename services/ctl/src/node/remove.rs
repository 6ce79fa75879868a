//! `berthctl node remove`

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::done::Done;

/// Remove a node; refused while pods on it have addresses, unless it is confirmed dead
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  berthctl node remove worker-1 --confirmed-dead --reason 'instance released'"
)]
pub struct Remove {
    /// The node's name
    pub name: String,
    /// Your word, kept in the history, that nothing runs on it any more: its addresses are freed
    #[arg(long)]
    pub confirmed_dead: bool,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Remove ===

impl Remove {
    /// Asks the leader to remove it.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::RemoveNodeRequest {
            change: Some(self.change.to_wire()),
            name: self.name.clone(),
            confirmed_dead: self.confirmed_dead,
        };
        let response = session.client().remove_node(request).await?;
        Ok(Box::new(Done::deleted(
            "node",
            self.name,
            response.revision,
        )))
    }
}
