//! `berthctl member replace`

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::member::Changed;

/// Put a learner in a member's place, in one step: at no moment are there fewer voters
///
/// For a member that is dead, or that is to move to another machine. Start the new one first, with --learner
/// (`member add NAME --learner` says how), and wait until `member list` shows that it has caught up.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  berthctl member replace berth-2 --with berth-4 --reason 'its disk is broken'"
)]
pub struct Replace {
    /// The name or id of the member that leaves
    pub member: String,
    /// The name or id of the learner that takes its place
    #[arg(long = "with", value_name = "LEARNER")]
    pub learner: String,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Replace ===

impl Replace {
    /// Asks the leader.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::PromoteMemberRequest {
            change: Some(self.change.to_wire()),
            member: self.learner,
            replaces: self.member.clone(),
        };
        let response = session.client().promote_member(request).await?;
        Ok(Box::new(Changed::new("replaced", self.member, response)))
    }
}
