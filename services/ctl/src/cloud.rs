//! `berthctl cloud`: what the cloud itself says, asked with your own credentials, and what the leader asks of it.

mod preflight;
mod status;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at an account before Berth uses it: rights, types, zones, and what is missing. Changes nothing
    Preflight(preflight::Preflight),
    /// What the leader asks of the cloud now, what waits for the budget, and why if it holds back
    Status(status::Status),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::Preflight(verb) => verb.run().await,
            Self::Status(verb) => verb.run(session).await,
        }
    }
}
