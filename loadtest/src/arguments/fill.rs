//! `berth-loadtest fill`

use std::path::PathBuf;

use berth_loadtest::fill::Fill;
use clap::Args;

/// See [`super::Command::Fill`].
#[derive(Debug, Args)]
pub struct FillArguments {
    /// Client endpoints; the leader is found by itself
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "URL",
        default_value = "http://127.0.0.1:7400"
    )]
    endpoints: Vec<String>,
    /// So many in all
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=4_000_000))]
    allocations: u64,
    /// So many requests always under way
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    in_flight: u32,
    /// Writes what was done there
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

// === impl FillArguments ===

impl FillArguments {
    /// What to do.
    pub fn plan(&self) -> Fill {
        Fill {
            endpoints: self.endpoints.clone(),
            allocations: self.allocations,
            in_flight: self.in_flight,
        }
    }
}
