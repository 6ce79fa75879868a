//! `berthctl vswitch delete`

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::done::Done;

/// Delete a vSwitch that nothing uses any more
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl vswitch delete zone-a --reason 'zone closed'")]
pub struct Delete {
    /// The vSwitch's name
    pub name: String,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Delete ===

impl Delete {
    /// Asks the leader to delete it; refused while it has allocations or claims.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::DeleteVSwitchRequest {
            change: Some(self.change.to_wire()),
            name: self.name.clone(),
        };
        let response = session.client().delete_vswitch(request).await?;
        Ok(Box::new(Done::deleted(
            "vSwitch",
            self.name,
            response.revision,
        )))
    }
}
