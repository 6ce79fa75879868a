//! The server's binary: flags in, exit code out.

use berthd::config::Flags;
use berthd::serve;
use clap::Parser;
use std::error::Error;
use std::process::ExitCode;

/// Requests cross threads, so what one thread allocates another frees: what glibc's allocator is slowest at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut flags = Flags::parse();
    let done = match (flags.offline.take(), flags.print_config) {
        (Some(offline), _) => offline.run(),
        (None, true) => print(&flags),
        (None, false) => serve::run(&flags).map_err(Box::from),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("berthd: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn print(flags: &Flags) -> Result<(), Box<dyn Error>> {
    print!("{}", flags.holding()?.to_toml());
    Ok(())
}

/// The error and what caused it, once, on one line.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
