//! The command line.

use super::{Config, Error, Options};
use crate::offline::Offline;
use clap::Parser;
use std::path::PathBuf;

/// Berth's server: keeps who holds which address, on one replica or on three.
///
/// Try it: `berthd --dev`. Options come from --config, then BERTH_* variables, then flags; the later wins.
#[derive(Parser, Clone, Debug, Default)]
#[command(name = "berthd", version, args_conflicts_with_subcommands = true)]
pub struct Flags {
    /// Something else than serving.
    #[command(subcommand)]
    pub offline: Option<Offline>,
    /// The TOML file; config.example.toml names every key
    #[arg(long, value_name = "FILE", env = "BERTH_CONFIG")]
    pub config: Option<PathBuf>,
    /// One replica on loopback with everything defaulted; begins ./berth-data or goes on with it
    #[arg(long, conflicts_with_all = ["bootstrap", "join", "rejoin"])]
    pub dev: bool,
    /// Begins a new cluster of the members listed. Once, on each of them; never again
    #[arg(long, conflicts_with_all = ["join", "rejoin"])]
    pub bootstrap: bool,
    /// Joins a running cluster as a new member: the peer endpoint of any of its replicas
    #[arg(long, value_name = "ENDPOINT")]
    pub join: Option<String>,
    /// Sets the data directory aside and joins as a new member in the old one's place
    #[arg(long)]
    pub rejoin: bool,
    /// With --join or --rejoin: stay a learner, which receives everything and votes on nothing, until
    /// `berthctl member promote`
    #[arg(long)]
    pub learner: bool,
    /// Prints what holds, as TOML, and ends
    #[arg(long)]
    pub print_config: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub options: Options,
}

// === impl Flags ===

impl Flags {
    /// What was said, all three ways together.
    pub fn merged(&self) -> Result<Options, Error> {
        let file = match &self.config {
            Some(path) => Options::from_file(path)?,
            None => Options::default(),
        };
        Ok(self.options.clone().over(file))
    }

    /// What holds, as options: everything that was said, and the defaults for the rest.
    pub fn holding(&self) -> Result<Options, Error> {
        Ok(self.load()?.fill(self.merged()?))
    }

    /// What holds.
    pub fn load(&self) -> Result<Config, Error> {
        Config::new(self.merged()?, self)
    }
}
