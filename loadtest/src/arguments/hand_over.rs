//! `berth-loadtest hand-over`

use std::collections::BTreeMap;
use std::path::PathBuf;

use berth_loadtest::hand_over::{HandOver, Way};
use clap::Args;

/// See [`super::Command::HandOver`].
#[derive(Debug, Args)]
pub struct HandOverArguments {
    /// Client endpoints of all members
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "URL",
        default_value = "http://127.0.0.1:7400"
    )]
    endpoints: Vec<String>,
    /// Kills the leader with SIGKILL instead of asking it to hand over; repeat it for every member that may lead. Whoever
    /// is killed stays away
    #[arg(long, value_name = "URL=PROCESS_ID", value_parser = victim)]
    kill: Vec<(String, i32)>,
    /// So often
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    cycles: u32,
    /// Writes what was measured there
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

fn victim(text: &str) -> Result<(String, i32), String> {
    let parts = text.rsplit_once('=');
    let parts = parts.and_then(|(url, id)| Some((url.to_owned(), id.parse().ok()?)));
    parts
        .filter(|(_, id)| *id > 0)
        .ok_or_else(|| format!("{text:?} is not URL=PROCESS_ID"))
}

// === impl HandOverArguments ===

impl HandOverArguments {
    /// What to do.
    pub fn plan(&self) -> HandOver {
        let victims: BTreeMap<String, i32> = self.kill.iter().cloned().collect();
        HandOver {
            endpoints: self.endpoints.clone(),
            way: match victims.is_empty() {
                true => Way::Asked,
                false => Way::Killed(victims),
            },
            cycles: self.cycles,
        }
    }
}
