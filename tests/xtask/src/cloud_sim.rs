//! `cargo xtask cloud-sim`: the simulated cloud as a process, for whatever speaks to the real one.

use clap::Args;

use crate::error::{Error, Result};
use crate::workspace;

/// The simulated cloud's command line; everything goes to `cloud-sim`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What `cloud-sim --help` names: --listen 127.0.0.1:8080, --setup FILE, --seed 17
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Runs it until it ends; whether it ended well.
pub fn run(arguments: Arguments) -> Result<bool> {
    let mut command = workspace::cargo();
    command
        .current_dir(workspace::root()?)
        .args(["run", "--locked", "--quiet"])
        .args(["--package", "berth-cloud", "--bin", "cloud-sim", "--"])
        .args(arguments.rest);
    let status = command.status();
    let status = status.map_err(|error| Error::system("cannot run cargo", &error))?;
    Ok(status.success())
}
