//! Loads a Berth cluster, or etcd beside it, and says what it showed.

mod arguments;

use std::path::Path;
use std::process::ExitCode;

use berth_loadtest::plugins::{self, resident};
use berth_loadtest::{Error, fill, hand_over, ready, run};
use clap::Parser;
use serde::Serialize;

use arguments::{Arguments, Command};
use arguments::{FillArguments, HandOverArguments, PluginsArguments, ReadyArguments, RunArguments};

fn main() -> ExitCode {
    // Before anything else has used memory: what it starts is weighed.
    let mut words = std::env::args_os().skip(1).peekable();
    if words.next_if(|word| word == resident::VERB).is_some() {
        return match resident::weigh_and_print(words) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&Error::from(error)),
        };
    }
    let command = Arguments::parse().command;
    let _guard = berth_telemetry::init(berth_telemetry::Options::new("berth-loadtest"));
    match command {
        Command::Run(arguments) => loaded(&arguments),
        Command::Fill(arguments) => filled(&arguments),
        Command::HandOver(arguments) => handed_over(&arguments),
        Command::Plugins(arguments) => plugged(&arguments),
        Command::Ready(arguments) => waited(&arguments),
    }
    .unwrap_or_else(|error| failed(&error))
}

fn loaded(arguments: &RunArguments) -> Result<ExitCode, Error> {
    let plan = arguments.plan()?;
    let report = run(&plan, |round| eprintln!("  {}", round.line()))?;
    write(&report, arguments.json.as_deref())?;
    Ok(shown(report.holds(), &report.table()))
}

fn filled(arguments: &FillArguments) -> Result<ExitCode, Error> {
    let filled = fill::fill(&arguments.plan())?;
    write(&filled, arguments.json.as_deref())?;
    Ok(shown(filled.holds(), &format!("{}\n", filled.line())))
}

fn handed_over(arguments: &HandOverArguments) -> Result<ExitCode, Error> {
    let report = hand_over::measure(&arguments.plan())?;
    write(&report, arguments.json.as_deref())?;
    Ok(shown(report.holds(), &report.text()))
}

fn plugged(arguments: &PluginsArguments) -> Result<ExitCode, Error> {
    let report = plugins::measure(&arguments.plan(), |line| eprintln!("  {line}"))?;
    write(&report, arguments.json.as_deref())?;
    Ok(shown(report.holds(), &report.table()))
}

fn waited(arguments: &ReadyArguments) -> Result<ExitCode, Error> {
    let ready = ready::ready(&arguments.endpoint, arguments.within())?;
    write(&ready, arguments.json.as_deref())?;
    let (bound, revision) = (ready.bound, ready.revision);
    let line = format!("serving; {bound} addresses are bound at revision {revision}\n");
    Ok(shown(true, &line))
}

fn shown(holds: bool, text: &str) -> ExitCode {
    print!("{text}");
    if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn failed(error: &Error) -> ExitCode {
    eprintln!("berth-loadtest: {error}");
    ExitCode::FAILURE
}

fn write(report: &impl Serialize, path: Option<&Path>) -> Result<(), Error> {
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
