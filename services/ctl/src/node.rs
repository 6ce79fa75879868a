//! Machines that pods run on.

pub mod list;
pub mod register;
pub mod remove;
pub mod show;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;

/// What can be done with nodes.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // the help shows the documentation of the type inside
pub enum Command {
    Register(register::Register),
    List(list::List),
    Show(show::Show),
    Remove(remove::Remove),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::Register(command) => command.run(session).await,
            Self::List(command) => command.run(session).await,
            Self::Show(command) => command.run(session).await,
            Self::Remove(command) => command.run(session).await,
        }
    }
}
