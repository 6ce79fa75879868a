//! `berthctl snapshot restore`

use std::ffi::OsString;

use clap::Args;

use crate::error::Error;
use crate::offline;
use crate::output::Document;
use crate::session::Session;

/// Begin a new cluster out of a backup, in an empty directory; runs `berthd`
///
/// On the machine that is to run its first member. With --plan it only shows what would wait for whom. `--help` is
/// berthd's own.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:\n  berthctl snapshot restore berth.snapshot --plan\n  \
                  berthctl snapshot restore berth.snapshot --into /var/lib/berth/data --reason 'the room burnt down'"
)]
pub struct Restore {
    /// The file, --into DIRECTORY, --reason TEXT or --plan
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    pub arguments: Vec<OsString>,
}

// === impl Restore ===

impl Restore {
    /// Runs `berthd snapshot restore`.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        offline::run(session, ["snapshot", "restore"], self.arguments)
    }
}
