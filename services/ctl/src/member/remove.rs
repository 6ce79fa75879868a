//! `berthctl member remove`

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::member::Changed;

/// Remove a member for good: its data directory is worth nothing afterwards
///
/// A leader that is to leave hands over first. Refused if the rest would have no live quorum.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl member remove berth-5 --reason 'back to three'")]
pub struct Remove {
    /// The member's name or id
    pub member: String,
    /// Even if the rest then depends on members that were not heard of lately
    #[arg(long)]
    pub force: bool,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Remove ===

impl Remove {
    /// Asks the leader, and the next one if it was the leader's own end.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::RemoveMemberRequest {
            change: Some(self.change.to_wire()),
            member: self.member.clone(),
            force: self.force,
        };
        let response = session.client().remove_member(request).await?;
        Ok(Box::new(Changed::new("removed", self.member, response)))
    }
}
