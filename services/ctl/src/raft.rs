//! The replicas and their log.

pub mod status;
pub mod transfer;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;

/// What can be asked of the replicas.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // the help shows the documentation of the type inside
pub enum Command {
    Status(status::Status),
    #[command(alias = "transfer-leader")]
    Transfer(transfer::Transfer),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::Status(command) => command.run(session).await,
            Self::Transfer(command) => command.run(session).await,
        }
    }
}
