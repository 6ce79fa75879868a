//! Subnets that addresses are taken from.

pub mod create;
pub mod delete;
pub mod list;
pub mod set;
pub mod show;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;

/// What can be done with vSwitches.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // the help shows the documentation of the type inside
pub enum Command {
    Create(create::Create),
    List(list::List),
    Show(show::Show),
    Set(set::Set),
    Delete(delete::Delete),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::Create(command) => command.run(session).await,
            Self::List(command) => command.run(session).await,
            Self::Show(command) => command.run(session).await,
            Self::Set(command) => command.run(session).await,
            Self::Delete(command) => command.run(session).await,
        }
    }
}
