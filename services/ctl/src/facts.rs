//! Facts about nodes and pods, for a cluster without an operator.

pub mod line;
pub mod report;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;

/// What can be done with facts.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // the help shows the documentation of the type inside
pub enum Command {
    Report(report::Report),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::Report(command) => command.run(session).await,
        }
    }
}
