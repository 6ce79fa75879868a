//! Addresses that pods have now.

pub mod explain;
pub mod list;
pub mod pod;
pub mod show;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;

/// What can be asked of allocations.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // the help shows the documentation of the type inside
pub enum Command {
    List(list::List),
    Show(show::Show),
    Explain(explain::Explain),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::List(command) => command.run(session).await,
            Self::Show(command) => command.run(session).await,
            Self::Explain(command) => command.run(session).await,
        }
    }
}
