//! `cargo xtask test`: everything that is checked before a change goes in, each stage timed, nothing skipped silently.

mod packages;
mod stage;
mod tally;

use std::process::Command;
use std::time::Instant;

use clap::Args;

use crate::error::{Error, Result};
use crate::sim;
use crate::test::stage::Stages;
use crate::workspace;

/// The test chore's command line.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only what needs no root; what is left out is listed
    #[arg(long)]
    portable: bool,
}

/// Features that compile the tests that need more than a toolchain, what they test, and what they need.
const FULL_TESTS: [(&str, &str, &str); 4] = [
    (
        "berth-store/root-tests",
        "power cuts and full disks, on loop devices",
        "root",
    ),
    (
        "berth-cni-tests/root-tests",
        "pods in network namespaces that ping each other, and a real containerd",
        "root",
    ),
    (
        "berth-integration/root-tests",
        "three servers in network namespaces: kills, partitions, failing disks, power cuts, each with its negative control",
        "root",
    ),
    (
        "berth-cloud/sdk-tests",
        "the simulated cloud, driven by the official Python SDK",
        "python3-venv and the network",
    ),
];

/// The server in which the fault tests' negative controls take safeguards out.
const CONTROLS: [&str; 8] = [
    "build",
    "--locked",
    "--package",
    "berthd",
    "--features",
    "planted",
    "--bin",
    "berthd-planted",
];

/// The server as a later release would be, for the test of an upgrade.
const NEXT_PROGRAM: [&str; 8] = [
    "build",
    "--locked",
    "--package",
    "berthd",
    "--features",
    "next-version",
    "--bin",
    "berthd-next",
];

/// More rounds of the fault run than `cargo test` alone makes.
const FAULT_SEEDS: &str = "300";

/// Of the simulation: seeds, and events at least.
const SIMULATED: [&str; 4] = ["--seeds", "300", "--events", "10000000"];
/// The same where little time is given.
const SIMULATED_BRIEFLY: [&str; 2] = ["--seeds", "40"];
/// Seeds in which each planted bug must be found; the one that found it before is tried first.
const PLANTED: [&str; 2] = ["--planted", "500"];

/// Runs every stage even if an earlier one failed; whether all of them held.
pub fn run(arguments: Arguments) -> Result<bool> {
    let full = !arguments.portable;
    if full {
        packages::provide()?;
    }
    let mut stages = Stages::showing(Box::new(std::io::stdout()));
    stages.run("format", cargo(&["fmt", "--all", "--check"])?)?;
    stages.run(
        "lints",
        with_features(
            cargo(&["clippy", "--locked", "--workspace", "--all-targets"])?,
            full,
            &["--", "-D", "warnings"],
        ),
    )?;
    stages.run("programs", cargo(&["build", "--locked", "--bins"])?)?;
    stages.run("next", cargo(&NEXT_PROGRAM)?)?;
    if full {
        stages.run("controls", cargo(&CONTROLS)?)?;
    }
    stages.run_tests(
        "tests",
        with_features(
            cargo(&["test", "--locked", "--workspace", "--no-fail-fast"])?,
            full,
            &[],
        ),
    )?;
    let seeds: &[&str] = if full { &SIMULATED } else { &SIMULATED_BRIEFLY };
    stages.run("simulation", sim::command(seeds)?)?;
    stages.run("planted", sim::command(&PLANTED)?)?;
    if full {
        let mut faults = cargo(&[
            "test",
            "--locked",
            "--package",
            "berth-integration",
            "--test",
            "simulated_cluster",
        ])?;
        faults.env("BERTH_FAULT_SEEDS", FAULT_SEEDS);
        stages.run_tests("faults", faults)?;
    }
    println!("\n{}", stages.table());
    if !full {
        println!("\nleft out by --portable:");
        for (feature, what, needed) in FULL_TESTS {
            println!("  {what} (feature {feature}; needs {needed})");
        }
        println!("  the longer fault run ({FAULT_SEEDS} seeds)");
    }
    for complaint in stages.complaints() {
        println!("! {complaint}");
    }
    println!("{}", stages.closing_line());
    Ok(stages.held())
}

fn cargo(arguments: &[&str]) -> Result<Command> {
    let mut command = workspace::cargo();
    command.current_dir(workspace::root()?).args(arguments);
    Ok(command)
}

fn with_features(mut command: Command, full: bool, rest: &[&str]) -> Command {
    if full {
        let features: Vec<&str> = FULL_TESTS.iter().map(|(feature, ..)| *feature).collect();
        command.arg("--features").arg(features.join(","));
    }
    command.args(rest);
    command
}

/// Since when, for the stages' table.
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, std::time::Duration)> {
    let begun = Instant::now();
    let done = work()?;
    Ok((done, begun.elapsed()))
}

fn cannot_run(command: &Command, error: &std::io::Error) -> Error {
    Error::system(
        format!("cannot run {}", command.get_program().display()),
        error,
    )
}
