//! The command line.

mod fill;
mod hand_over;
mod plugins;
mod ready;

use std::path::PathBuf;

use berth_loadtest::scenario::Scenario;
use berth_loadtest::{Error, Plan, System, Watched};
use clap::{Args, Parser, Subcommand};
pub use fill::FillArguments;
pub use hand_over::HandOverArguments;
pub use plugins::PluginsArguments;
pub use ready::ReadyArguments;

const EXAMPLES: &str = "\
Examples:
  berth-loadtest run --scenario allocate --endpoints http://127.0.0.1:7400
  berth-loadtest run --scenario allocate --in-flight 256 --seconds 20 --watch berthd=$(pidof berthd)
  berth-loadtest run --scenario allocate --in-flight '' --open-loop 500,2000,8000
  berth-loadtest run --scenario churn --seed 42 --json churn.json
  berth-loadtest run --scenario allocate --etcd --endpoints http://127.0.0.1:2379
  berth-loadtest fill --allocations 1000000
  berth-loadtest hand-over --cycles 20 --endpoints http://127.0.0.1:7400
  berth-loadtest plugins --berth-cni target/release/berth-cni --levels 0,1000,full
  berth-loadtest ready --endpoint http://127.0.0.1:7400

Exit status: 0 if every address was right, 1 if one was not or the run could not be made.";

/// Pod churn and allocation load, with correctness counted in every run.
#[derive(Debug, Parser)]
#[command(name = "berth-loadtest", version, after_help = EXAMPLES, max_term_width = 110)]
pub struct Arguments {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs a scenario against a cluster; its vSwitches and nodes are made if they are missing, and stay
    Run(RunArguments),
    /// Makes many allocations, as fast as the cluster makes them, and leaves them there
    Fill(FillArguments),
    /// Changes the leader under a few callers, by request or by killing it, and times how long they wait
    HandOver(HandOverArguments),
    /// Times CNI plugins as whole processes, with more and more addresses in use
    Plugins(PluginsArguments),
    /// Waits until a server's health says SERVING, and says when that was and how much is bound
    Ready(ReadyArguments),
}

/// See [`Command::Run`].
#[derive(Debug, Args)]
pub struct RunArguments {
    /// "allocate", "churn", or a TOML file like those in loadtest/scenarios
    #[arg(long, default_value = "allocate", value_name = "NAME|FILE")]
    scenario: String,
    /// Client endpoints; the leader is found by itself
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "URL",
        default_value = "http://127.0.0.1:7400"
    )]
    endpoints: Vec<String>,
    /// The endpoints are etcd's: a create-if-absent transaction of the same size for each ADD
    #[arg(long)]
    etcd: bool,
    /// Closed loop: so many requests always under way, one round each; '' = none
    #[arg(long, value_name = "N,..", value_parser = numbers)]
    in_flight: Option<Numbers>,
    /// Open loop: so many arrivals per second, one round each; '' = none
    #[arg(long, value_name = "RATE,..", value_parser = numbers)]
    open_loop: Option<Numbers>,
    /// Measured, of each round
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: Option<u32>,
    /// Before each round is measured
    #[arg(long)]
    warm_up_seconds: Option<u32>,
    /// Repeats the arrivals
    #[arg(long)]
    seed: Option<u64>,
    /// Reports this process' CPU time and memory; repeat it for several
    #[arg(long, value_name = "NAME=PROCESS_ID", value_parser = Watched::parse)]
    watch: Vec<Watched>,
    /// Writes the whole report there
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

type Numbers = std::sync::Arc<[u32]>;

fn numbers(text: &str) -> Result<Numbers, String> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let number = |part: &str| match part.parse() {
        Ok(0) | Err(_) => Err(format!("{part:?} is not a number from 1 on")),
        Ok(number) => Ok(number),
    };
    parts.map(number).collect()
}

// === impl RunArguments ===

impl RunArguments {
    /// The scenario with what was said on the command line.
    pub fn plan(&self) -> Result<Plan, Error> {
        let mut scenario = Scenario::load(&self.scenario)?;
        match &mut scenario {
            Scenario::Allocate(story) => {
                replace(
                    &mut story.in_flight,
                    self.in_flight.as_deref().map(<[u32]>::to_vec),
                );
                let open_loop = self.open_loop.as_deref().map(<[u32]>::to_vec);
                replace(&mut story.open_loop_per_second, open_loop);
                replace(&mut story.seconds, self.seconds);
                replace(&mut story.warm_up_seconds, self.warm_up_seconds);
                replace(&mut story.seed, self.seed);
            }
            Scenario::Churn(story) => {
                replace(&mut story.seconds, self.seconds);
                replace(&mut story.seed, self.seed);
            }
        }
        let endpoints = self.endpoints.clone();
        Ok(Plan {
            scenario,
            system: if self.etcd {
                System::Etcd(endpoints)
            } else {
                System::Berth(endpoints)
            },
            watched: self.watch.clone(),
        })
    }
}

fn replace<T>(value: &mut T, said: Option<T>) {
    if let Some(said) = said {
        *value = said;
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Command};
    use berth_loadtest::scenario::Scenario;
    use clap::{CommandFactory, Parser};

    /// Promise: the grammar is consistent, and what was said wins over the scenario.
    #[test]
    fn what_was_said_wins() {
        Arguments::command().debug_assert();
        let line = "berth-loadtest run --in-flight 3,4 --open-loop= --seconds 5 --watch a=1";
        let Command::Run(arguments) = Arguments::parse_from(line.split(' ')).command else {
            panic!("it says run")
        };
        let plan = arguments.plan().expect("a good line");
        let Scenario::Allocate(story) = plan.scenario else {
            panic!("the default")
        };
        assert_eq!((story.in_flight, story.seconds), (vec![3, 4], 5));
        assert!(story.open_loop_per_second.is_empty());
        let bad = Arguments::try_parse_from("berth-loadtest run --in-flight 3,x".split(' '));
        assert!(
            bad.unwrap_err()
                .to_string()
                .contains("\"x\" is not a number")
        );
    }

    /// Promise: every example that --help shows is understood, and a wrong level is refused by name.
    #[test]
    fn the_examples_are_understood() {
        let lines = super::EXAMPLES.lines().map(str::trim);
        let lines: Vec<_> = lines
            .filter(|line| line.starts_with("berth-loadtest "))
            .map(|line| line.replace("$(pidof berthd)", "7").replace("''", "\t"))
            .collect();
        assert!(lines.len() >= 9, "{lines:?}");
        for line in &lines {
            let parsed = Arguments::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {:?}", parsed.err());
        }
        let bad = "berth-loadtest plugins --berth-cni x --levels 0,many";
        let bad = Arguments::try_parse_from(bad.split(' ')).unwrap_err();
        assert!(bad.to_string().contains("\"many\" is neither"), "{bad}");
    }
}
