//! Loads a Berth cluster, or etcd beside it, and says what it showed.

mod arguments;

use std::process::ExitCode;

use berth_loadtest::report::Report;
use berth_loadtest::{Error, run};
use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let Command::Run(arguments) = Arguments::parse().command;
    let guard = berth_telemetry::init(berth_telemetry::Options::new("berth-loadtest"));
    let outcome = arguments.plan().and_then(|plan| {
        let report = run(&plan, |round| eprintln!("  {}", round.line()))?;
        write(&report, arguments.json.as_deref())?;
        Ok(report)
    });
    drop(guard);
    match outcome {
        Ok(report) => {
            print!("{}", report.table());
            if report.holds() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("berth-loadtest: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(report: &Report, path: Option<&std::path::Path>) -> Result<(), Error> {
    let Some(path) = path else {
        return Ok(());
    };
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let text = serde_json::to_string_pretty(report).map_err(|error| failed(error.into()))?;
    std::fs::write(path, text + "\n").map_err(failed)
}
