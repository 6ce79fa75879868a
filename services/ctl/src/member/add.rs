//! `berthctl member add`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::member::{Joining, Members};

/// How to add a member: checks that it can be, and says what to start on its machine
///
/// A member begins by itself: its id and its store come to be with its data directory, so nothing has to be told
/// to the cluster beforehand, and nothing is left behind if it never starts.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  berthctl member add berth-4\n  berthctl member add standby-1 --learner"
)]
pub struct Add {
    /// The new member's name, which no other has
    pub name: String,
    /// It is to stay a learner, which receives everything and votes on nothing, until `member promote`
    #[arg(long)]
    pub learner: bool,
}

// === impl Add ===

impl Add {
    /// Asks the leader who is there, and whom to join.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let response = session
            .client()
            .list_members(v1::ListMembersRequest::default())
            .await?;
        let members = Members::from(response);
        if let Some(known) = members.named(&self.name) {
            return Err(Error::MemberKnown {
                name: self.name,
                role: known.role.clone(),
            });
        }
        Ok(Box::new(Joining::new(self.name, self.learner, &members)))
    }
}
