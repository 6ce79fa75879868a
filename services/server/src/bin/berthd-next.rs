//! The server as a later release would be: it applies one cluster version more. For the tests of an upgrade only.

use berthd::config::Flags;
use berthd::serve;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match serve::run(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("berthd-next: {error}");
            ExitCode::FAILURE
        }
    }
}
