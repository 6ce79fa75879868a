//! `berth-loadtest plugins`

use std::path::PathBuf;

use berth_loadtest::plugins::{Level, Plan};
use clap::Args;

/// See [`super::Command::Plugins`].
#[derive(Debug, Args)]
pub struct PluginsArguments {
    /// Client endpoints of a cluster of its own
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "URL",
        default_value = "http://127.0.0.1:7400"
    )]
    endpoints: Vec<String>,
    /// Berth's plugin
    #[arg(long, value_name = "PROGRAM")]
    berth_cni: PathBuf,
    /// The CNI project's plugin that keeps addresses in files; left out, and named, if it is not there
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "/usr/lib/cni/host-local"
    )]
    host_local: PathBuf,
    /// Where host-local keeps its files while this runs
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    data: PathBuf,
    /// Addresses in use, ascending; "full" = the last ADD takes the last one
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "N,..",
        default_value = "0,1000,10000,full"
    )]
    levels: Vec<Level>,
    /// Turns of each plugin at each level
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// ADDs in a turn, and as many DELs
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    calls: u32,
    /// A turn begins no ADD after so long, except for its first five
    #[arg(long, default_value_t = 3)]
    seconds: u32,
    /// Writes the whole report there
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

// === impl PluginsArguments ===

impl PluginsArguments {
    /// What to do.
    pub fn plan(&self) -> Plan {
        Plan {
            berth_cni: self.berth_cni.clone(),
            endpoints: self.endpoints.clone(),
            host_local: self.host_local.clone(),
            data: self.data.clone(),
            levels: self.levels.clone(),
            rounds: self.rounds,
            calls: self.calls,
            seconds: self.seconds,
        }
    }
}
