//! `cargo xtask soak`: faults on real servers until stopped. Builds the server as it ships and the harness beside it, and
//! leaves the rest to `berth-soak`.

use std::path::PathBuf;

use clap::Args;

use crate::build;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::workspace;

/// The soak chore's command line.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How long; without it until Ctrl-C
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    minutes: Option<u64>,
    /// Of the first round; each round has the next [default: drawn]
    #[arg(long)]
    seed: Option<u64>,
    /// Where the sums are written as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only checks the record of an earlier run again
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["minutes", "seed", "json"])]
    check: Option<PathBuf>,
}

/// Whether nothing was violated.
pub fn run(arguments: Arguments) -> Result<bool> {
    let is_check = arguments.check.is_some();
    if !is_check && !rustix::process::geteuid().is_root() {
        return Err(Error::new(
            "network namespaces, loop devices and packet filters need root: run it as root",
        ));
    }
    // Berth-soak hears Ctrl-C itself, ends its round and shows the sums.
    let interrupt = Interrupt::listen()?;
    let mut soak = workspace::cargo();
    soak.current_dir(workspace::root()?).args([
        "run",
        "--quiet",
        "--locked",
        "--package",
        "berth-integration",
        "--features",
        "root-tests",
        "--bin",
        "berth-soak",
        "--",
    ]);
    if !is_check {
        let programs = build::programs(true, &interrupt)?;
        let folder = programs
            .berthd
            .parent()
            .ok_or(Error::new("berthd stands nowhere"))?;
        soak.env("BERTH_BIN_DIR", folder);
    }
    let minutes = arguments.minutes.map(|minutes| minutes.to_string());
    let seed = arguments.seed.map(|seed| seed.to_string());
    for (name, value) in [("--minutes", minutes), ("--seed", seed)] {
        soak.args(value.iter().flat_map(|value| [name, value]));
    }
    let working = std::env::current_dir().map_err(|error| Error::system("no folder", &error))?;
    for (name, path) in [("--json", arguments.json), ("--check", arguments.check)] {
        if let Some(path) = path {
            // Cargo runs it in the workspace's root.
            soak.arg(name).arg(working.join(path));
        }
    }
    let status = soak
        .status()
        .map_err(|error| Error::system("cannot run cargo", &error))?;
    Ok(status.success())
}
