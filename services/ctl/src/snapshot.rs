//! Backups: made by the leader, looked into and restored by `berthd` where the files are.

pub mod inspect;
pub mod restore;
pub mod save;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;

/// What can be done with backups.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // the help shows the documentation of the type inside
pub enum Command {
    Save(save::Save),
    Inspect(inspect::Inspect),
    Restore(restore::Restore),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::Save(command) => command.run(session).await,
            Self::Inspect(command) => command.run(session).await,
            Self::Restore(command) => command.run(session).await,
        }
    }
}
