//! `berthctl recover status`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::Session;
use crate::view::recovery::State;

/// Whom the cluster waits for since it was restored, and who lives with an address that is not its own
///
/// Exit status 1 while it waits for somebody.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl recover status")]
pub struct Status {
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl Status ===

impl Status {
    /// Asks the leader.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::GetRecoveryRequest {
            stale: self.freshness.stale,
        };
        let response = session.client().get_recovery(request).await?;
        Ok(Box::new(State::from(response)))
    }
}
