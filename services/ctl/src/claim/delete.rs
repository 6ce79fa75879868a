//! `berthctl claim delete`

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::done::Done;

/// End a claim: its address rests, then is anybody's. Refused while a pod has it
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  berthctl claim delete default/shop/db-0 --reason 'shop closed'"
)]
pub struct Delete {
    /// The claim's name, [CLUSTER/]NAMESPACE/POD
    #[arg(value_parser = super::name::parse)]
    pub name: String,
    /// Your word, kept in the history, that the old holder is gone
    #[arg(long)]
    pub override_holder: bool,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Delete ===

impl Delete {
    /// Asks the leader to end it.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::DeleteClaimRequest {
            change: Some(self.change.to_wire()),
            name: self.name.clone(),
            override_holder: self.override_holder,
        };
        let response = session.client().delete_claim(request).await?;
        Ok(Box::new(Done::deleted(
            "claim",
            self.name,
            response.revision,
        )))
    }
}
