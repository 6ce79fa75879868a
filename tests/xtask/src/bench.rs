//! `cargo xtask bench`: builds the load tester with optimisation and hands it the rest of the command line.

use clap::Args;

use crate::error::{Error, Result};
use crate::workspace;

/// The bench chore's command line.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Handed to berth-loadtest as they are
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Runs the load tester; whether it succeeded.
pub fn run(arguments: Arguments) -> Result<bool> {
    let mut cargo = workspace::cargo();
    cargo.current_dir(workspace::root()?).args([
        "run",
        "--locked",
        "--release",
        "--package",
        "berth-loadtest",
        "--",
    ]);
    let status = cargo
        .args(&arguments.rest)
        .status()
        .map_err(|error| Error::system("cannot run cargo", &error))?;
    Ok(status.success())
}
