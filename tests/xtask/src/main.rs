//! The project's chores: `cargo xtask demo`, `cargo xtask test`, `cargo xtask soak`, `cargo xtask cloud-sim`,
//! `cargo xtask bench`.
//!
//! Knows nothing of Berth's code: it links none of it, so that it compiles in seconds, and drives the programs that
//! people get, by their command lines.

mod build;
mod child;
mod error;
mod interrupt;
mod workspace;

mod bench;
mod cloud_sim;
mod demo;
mod sim;
mod soak;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;

/// Berth's chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Three replicas, pods that come and go, a leader that is killed: the whole of it in half a minute, without root
    Demo(demo::Arguments),
    /// Everything that is checked before a change goes in
    Test(test::Arguments),
    /// The servers in one deterministic process, under seeds of trouble; all arguments are berth-sim's
    Sim(sim::Arguments),
    /// Faults on real servers, drawn by a seed, until stopped; needs root
    Soak(soak::Arguments),
    /// A simulated cloud on a socket, for what speaks to the real one; all arguments are cloud-sim's
    CloudSim(cloud_sim::Arguments),
    /// Measured speed, beside etcd on the same disk
    Bench(bench::Arguments),
    /// Runs a program that dies with this one; the demo's own
    #[command(hide = true, name = child::TETHER)]
    Tether(child::TetherArguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().chore {
        Chore::Demo(arguments) => demo::run(arguments),
        Chore::Test(arguments) => test::run(arguments),
        Chore::Sim(arguments) => sim::run(arguments),
        Chore::Soak(arguments) => soak::run(arguments),
        Chore::CloudSim(arguments) => cloud_sim::run(arguments),
        Chore::Bench(arguments) => bench::run(arguments),
        Chore::Tether(arguments) => child::tether(arguments),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(Error::Interrupted) => ExitCode::from(130), // 128 + SIGINT, as shells do
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Arguments;

    /// Lines that begin with `cargo xtask`, as far as their comment.
    fn misunderstood(text: &str) -> Vec<&str> {
        let lines = text
            .lines()
            .map(|line| line.split(" #").next().unwrap_or(line).trim());
        let commands = lines.filter(|line| line.starts_with("cargo xtask "));
        commands
            .filter(|line| Arguments::try_parse_from(line.split_whitespace().skip(1)).is_err())
            .collect()
    }

    /// Promise: the grammar is consistent.
    #[test]
    fn the_grammar_is_consistent() {
        Arguments::command().debug_assert();
    }

    /// Promise: every `cargo xtask` line of the README and of the CI's script is one that we understand.
    #[test]
    fn what_is_documented_is_understood() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
        let readme =
            std::fs::read_to_string(format!("{root}README.md")).expect("the README is there");
        let script =
            std::fs::read_to_string(format!("{root}.ci/run")).expect("the CI's script is there");
        let both = format!("{readme}\n{}", script.replace("exec ", ""));
        assert!(
            both.matches("\ncargo xtask ").count() >= 6,
            "the README and the script show cargo xtask"
        );
        assert_eq!(misunderstood(&both), Vec::<&str>::new());
    }

    /// Promise (negative control): a verb that there is not is found.
    #[test]
    fn a_wrong_line_is_found() {
        assert_eq!(
            misunderstood("cargo xtask demo --keep\ncargo xtask dance   # no"),
            ["cargo xtask dance"]
        );
    }
}
