//! Cloud calls that are under way.

pub mod list;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;

/// What can be done with jobs.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // the help shows the documentation of the type inside
pub enum Command {
    List(list::List),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::List(command) => command.run(session).await,
        }
    }
}
