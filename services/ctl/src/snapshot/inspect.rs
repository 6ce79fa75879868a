//! `berthctl snapshot inspect`

use std::ffi::OsString;

use clap::Args;

use crate::error::Error;
use crate::offline;
use crate::output::Document;
use crate::session::Session;

/// Check a backup to its last byte, and show what is in it; runs `berthd`
///
/// Every checksum, the history's chain of hashes, every rule of the ledger, and that a replay of the history gives the
/// ledger. No server is needed. `--help` is berthd's own.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    after_help = "Example:\n  berthctl snapshot inspect /var/backups/berth-2026-11-23.snapshot -o json"
)]
pub struct Inspect {
    /// The file, and how the answer looks
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    pub arguments: Vec<OsString>,
}

// === impl Inspect ===

impl Inspect {
    /// Runs `berthd snapshot inspect`.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        offline::run(session, ["snapshot", "inspect"], self.arguments)
    }
}
