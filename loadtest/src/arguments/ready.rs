//! `berth-loadtest ready`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// See [`super::Command::Ready`].
#[derive(Debug, Args)]
pub struct ReadyArguments {
    /// The server's client endpoint
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7400")]
    pub endpoint: String,
    /// Then it fails
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    within: u64,
    /// Writes what was seen there
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

// === impl ReadyArguments ===

impl ReadyArguments {
    /// How long to wait.
    pub fn within(&self) -> Duration {
        Duration::from_secs(self.within)
    }
}
