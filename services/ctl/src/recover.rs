//! What a cluster that was begun anew waits for, and how one is begun anew without a backup.

pub mod confirm;
pub mod force;
pub mod inspect;
pub mod status;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;

/// What can be done about a lost cluster.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // the help shows the documentation of the type inside
pub enum Command {
    Status(status::Status),
    Confirm(confirm::Confirm),
    Inspect(inspect::Inspect),
    Force(force::Force),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::Status(command) => command.run(session).await,
            Self::Confirm(command) => command.run(session).await,
            Self::Inspect(command) => command.run(session).await,
            Self::Force(command) => command.run(session).await,
        }
    }
}
