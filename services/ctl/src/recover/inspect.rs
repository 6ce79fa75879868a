//! `berthctl recover inspect`

use std::ffi::OsString;

use clap::Args;

use crate::error::Error;
use crate::offline;
use crate::output::Document;
use crate::session::Session;

/// Show what a member's data directory knows, to find the best of those that are left; runs `berthd`
///
/// On the member's machine, with no server running there. `--help` is berthd's own.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    after_help = "Example:\n  berthctl recover inspect /var/lib/berth/data"
)]
pub struct Inspect {
    /// The data directory, and how the answer looks
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    pub arguments: Vec<OsString>,
}

// === impl Inspect ===

impl Inspect {
    /// Runs `berthd recover inspect`.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        offline::run(session, ["recover", "inspect"], self.arguments)
    }
}
