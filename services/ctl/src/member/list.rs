//! `berthctl member list`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::Session;
use crate::view::member::Members;

/// Who takes part, who leads, and how each member is; asked of the leader and true as of now
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  berthctl member list -o json | jq '.members[] | select(.role == \"voter\").name'"
)]
pub struct List {
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl List ===

impl List {
    /// Asks the leader.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let response = session
            .client()
            .list_members(v1::ListMembersRequest {
                stale: self.freshness.stale,
            })
            .await?;
        Ok(Box::new(Members::from(response)))
    }
}
