//! `berthctl cloud status`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::cloud::CloudStatus;

const EXAMPLES: &str = "\
Examples:
  berthctl cloud status
  berthctl cloud status -o json | jq .level

LEVEL is entered and left by itself, by how calls end: careful = nothing is given back; cached only = only warm addresses are
given out, and one call in a while shows whether the cloud is back.";

/// What the leader asks of the cloud now, what waits for the budget, and why if it holds back
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Status {}

// === impl Status ===

impl Status {
    /// Asks the leader.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::CloudStatusRequest {};
        let status = session.client().cloud_status(request).await?;
        Ok(Box::new(CloudStatus::from(status)))
    }
}
