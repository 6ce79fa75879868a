//! `berthctl member promote`

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::member::Changed;

/// Give a learner that has caught up its vote; learners without --learner get it by themselves
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl member promote standby-1 --reason 'berth-2 is slow'")]
pub struct Promote {
    /// The learner's name or id
    pub member: String,
    /// Why, and the request id.
    #[command(flatten)]
    pub change: Change,
}

// === impl Promote ===

impl Promote {
    /// Asks the leader.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::PromoteMemberRequest {
            change: Some(self.change.to_wire()),
            member: self.member.clone(),
            replaces: String::new(),
        };
        let response = session.client().promote_member(request).await?;
        Ok(Box::new(Changed::new("promoted", self.member, response)))
    }
}
