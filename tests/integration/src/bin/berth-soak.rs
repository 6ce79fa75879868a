//! `cargo xtask soak`: faults on real servers until stopped; or the check of a kept record.

use berth_integration::check::check;
use berth_integration::run::recorded;
use berth_integration::soak::{Plan, soak};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[derive(Debug, Parser)]
struct Arguments {
    /// How long; without it until Ctrl-C
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: Option<u64>,
    /// Of the first round [default: drawn]
    #[arg(long)]
    seed: Option<u64>,
    /// Where the sums are written as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Only checks the record in this folder of an earlier run again
    #[arg(long)]
    check: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.check {
        Some(folder) => check_again(&folder),
        None => run(&arguments),
    }
}

fn check_again(folder: &std::path::Path) -> ExitCode {
    let record = match recorded(folder) {
        Ok(record) => record,
        Err(error) => {
            eprintln!("berth-soak: {}: {error}", folder.display());
            return ExitCode::FAILURE;
        }
    };
    let verdict = check(&record);
    println!("{verdict}");
    for violation in &verdict.violations {
        println!("{violation}");
    }
    match verdict.violations.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn run(arguments: &Arguments) -> ExitCode {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        if let Err(error) = signal_hook::flag::register(signal, Arc::clone(&stop)) {
            eprintln!("berth-soak: cannot listen for signals: {error}");
            return ExitCode::FAILURE;
        }
    }
    let drawn = || u64::from(std::process::id()) * 1_000;
    let plan = Plan {
        length: arguments
            .minutes
            .map(|minutes| Duration::from_secs(60 * minutes)),
        seed: arguments.seed.unwrap_or_else(drawn),
    };
    let report = soak(plan, &|| stop.load(Ordering::Relaxed));
    println!("\n{report}");
    if let Some(path) = &arguments.json
        && let Err(error) = std::fs::write(path, format!("{:#}\n", report.json()))
    {
        eprintln!("berth-soak: {}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    let is_good = report.violations() == 0 && report.faults() > 0;
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
