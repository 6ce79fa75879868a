//! `cargo xtask demo`: three replicas, pods that come and go, a leader that is killed, and a verdict.

mod cluster;
mod control;
mod facts;
mod fleet;
mod kubelet;
mod moment;
mod ownership;
mod report;
mod scratch;
mod standing;
mod story;
mod workers;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use crate::build;
use crate::error::Result;
use crate::interrupt::Interrupt;

/// The demo's command line.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Leave the cluster running afterwards, and say what to try
    #[arg(long)]
    keep: bool,
    /// Build with optimisation: takes minutes longer the first time, and shows the real latencies
    #[arg(long)]
    release: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// End the cluster that --keep left running, and remove its data
    Stop,
}

const PLAN: &str = "\
The demo builds berthd, berth-cni and berthctl, and then, without root and on loopback only,
  1. starts three berthd replicas with their data in a temporary directory;
  2. makes three vSwitches in three zones, and six nodes;
  3. drives pods through the berth-cni program as a container runtime would: a Deployment scaled up and down,
     and StatefulSet pods with static addresses that are deleted and re-created on other nodes;
  4. kills the leader with kill -9 in the middle of that, and restarts it afterwards;
  5. asks who held an address, and gives its verdict.
Ctrl-C ends it at any time and leaves nothing behind.
";

/// Runs the demo, or ends the one that was kept; whether the verdict holds.
pub fn run(arguments: Arguments) -> Result<bool> {
    let interrupt = Interrupt::listen()?;
    if let Some(Verb::Stop) = arguments.verb {
        return standing::stop(&interrupt);
    }
    standing::refuse_if_running()?;
    println!("{PLAN}");
    let begun = Instant::now();
    let programs = build::programs(arguments.release, &interrupt)?;
    println!("built in {}", report::seconds(begun.elapsed()));

    let scratch = scratch::Scratch::create()?;
    let cluster = cluster::Cluster::start(&programs, scratch.path(), !arguments.keep, &interrupt)?;
    let mut story = story::Story::begin(programs, cluster, scratch.path(), interrupt)?;
    if let Err(error) = story.tell() {
        story.show_last_words();
        return Err(error);
    }
    let holds = story.verdict(begun.elapsed());
    if arguments.keep {
        story.keep(scratch)?;
    }
    Ok(holds)
}

/// How long anything that should take a second may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether people watch.
fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}
