//! `berthctl cloud`: what the cloud itself says, asked with your own credentials and without a server.

mod preflight;

use clap::Subcommand;

use crate::error::Error;
use crate::output::Document;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at an account before Berth uses it: rights, types, zones, and what is missing. Changes nothing
    Preflight(preflight::Preflight),
}

// === impl Command ===

impl Command {
    /// Runs the verb.
    pub async fn run(self) -> Result<Box<dyn Document>, Error> {
        match self {
            Self::Preflight(verb) => verb.run().await,
        }
    }
}
