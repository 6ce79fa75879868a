//! `berthd` with a safeguard taken out (`BERTH_PLANTED`): what the fault tests prove themselves against. Never shipped.

use berthd::config::Flags;
use berthd::{planted, serve};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    eprintln!("berthd: planted: {:?}", planted::named());
    match serve::run(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("berthd: {error}");
            ExitCode::FAILURE
        }
    }
}
