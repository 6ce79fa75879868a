//! `berthctl recover force`

use std::ffi::OsString;

use clap::Args;

use crate::error::Error;
use crate::offline;
use crate::output::Document;
use crate::session::Session;

/// Give up a cluster whose majority is lost for good, and begin a new one out of one member's data; runs `berthd`
///
/// On the member's machine, with no server running there. With --plan it only shows what would wait for whom. `--help` is
/// berthd's own.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:\n  berthctl recover force /var/lib/berth/data --plan\n  \
                  berthctl recover force /var/lib/berth/data --into /var/lib/berth/anew --confirm 8c1f… --reason 'two disks died'"
)]
pub struct Force {
    /// The data directory, --into DIRECTORY, --confirm CLUSTER_ID, --reason TEXT or --plan
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    pub arguments: Vec<OsString>,
}

// === impl Force ===

impl Force {
    /// Runs `berthd recover force`.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        offline::run(session, ["recover", "force"], self.arguments)
    }
}
