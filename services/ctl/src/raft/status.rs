//! `berthctl raft status`

use clap::Args;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::raft::RaftStatus;

/// Who leads, who follows, and how far each replica's log is
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl raft status -o json | jq .leader_id")]
pub struct Status {}

// === impl Status ===

impl Status {
    /// Asks every endpoint given for its own view; one that does not answer is shown as such.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let mut views = Vec::new();
        let mut unreachable = Vec::new();
        for (endpoint, answer) in session.each_cluster_status().await {
            match answer {
                Ok(view) => views.push((endpoint, view)),
                Err(error) => unreachable.push((endpoint, error)),
            }
        }
        match unreachable.pop() {
            Some((_, error)) if views.is_empty() => Err(error),
            last => {
                unreachable.extend(last);
                Ok(Box::new(RaftStatus::new(views, unreachable)))
            }
        }
    }
}
