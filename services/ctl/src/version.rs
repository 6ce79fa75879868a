//! Which cluster version the log is written at, and which the members can apply.

pub mod raise;
pub mod show;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;

/// What can be asked of the cluster version.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // the help shows the documentation of the type inside
pub enum Command {
    Show(show::Show),
    Raise(raise::Raise),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::Show(command) => command.run(session).await,
            Self::Raise(command) => command.run(session).await,
        }
    }
}
