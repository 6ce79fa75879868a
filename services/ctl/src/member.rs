//! Who takes part in the cluster.

pub mod add;
pub mod list;
pub mod promote;
pub mod remove;
pub mod replace;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;

/// What can be asked of members.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // the help shows the documentation of the type inside
pub enum Command {
    List(list::List),
    Add(add::Add),
    Promote(promote::Promote),
    Remove(remove::Remove),
    Replace(replace::Replace),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::List(command) => command.run(session).await,
            Self::Add(command) => command.run(session).await,
            Self::Promote(command) => command.run(session).await,
            Self::Remove(command) => command.run(session).await,
            Self::Replace(command) => command.run(session).await,
        }
    }
}
