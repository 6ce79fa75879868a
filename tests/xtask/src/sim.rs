//! `cargo xtask sim`: the simulation, in its own build profile. What it prints to run a seed again is a line of this chore.

use std::process::Command;

use clap::Args;

use crate::error::{Error, Result};
use crate::workspace;

/// The simulation chore's command line; everything goes to `berth-sim`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What `berth-sim --help` names: --seed 17, --log, --seeds 1000, --planted 500
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Runs it; whether every rule held.
pub fn run(arguments: Arguments) -> Result<bool> {
    let rest: Vec<&str> = arguments.rest.iter().map(String::as_str).collect();
    let mut command = command(&rest)?;
    let status = command
        .status()
        .map_err(|error| Error::system("cannot run cargo", &error))?;
    Ok(status.success())
}

/// `berth-sim` with these arguments.
pub fn command(rest: &[&str]) -> Result<Command> {
    let mut command = workspace::cargo();
    command
        .current_dir(workspace::root()?)
        .args(["run", "--locked", "--quiet", "--profile", "sim"])
        .args(["--package", "berth-sim", "--"])
        .args(rest);
    Ok(command)
}
