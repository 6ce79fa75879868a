//! `berthctl raft transfer`

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::raft::NewLeader;

/// Hand leadership over, before maintenance of the leader's machine
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  berthctl raft transfer\n  berthctl raft transfer --to 2 --reason 'kernel update'"
)]
pub struct Transfer {
    /// The member's id as `raft status` shows it; without it, the one whose log is furthest
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    pub to: Option<u64>,
    /// Why.
    #[command(flatten)]
    pub change: Change,
}

// === impl Transfer ===

impl Transfer {
    /// Asks the leader, and says who leads now.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::TransferLeadershipRequest {
            to_member_id: self.to.unwrap_or(0),
            reason: self.change.reason_or_default(),
        };
        let response = session.client().transfer_leadership(request).await?;
        Ok(Box::new(NewLeader {
            leader_id: response.leader_id,
        }))
    }
}
