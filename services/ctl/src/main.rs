//! Parses, asks, prints; the error chain is printed here and nowhere else.

use std::process::ExitCode;

use berthctl::arguments::Arguments;
use berthctl::output;
use berthctl::session::Session;
use clap::Parser;

/// The command was understood, and was refused or could not be done.
const EXIT_REFUSED: u8 = 1;

fn main() -> ExitCode {
    // clap itself ends with 2 when the command was not understood.
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return refused(&format!("no runtime: {error}")),
    };
    runtime.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> ExitCode {
    let format = arguments.output;
    let session = match Session::open(&arguments.connection, format) {
        Ok(session) => session,
        Err(error) => return refused(&error.sentence()),
    };
    let answer = arguments.noun.run(&session).await;
    match answer.and_then(|document| output::print(document.as_ref(), format)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_REFUSED),
        Err(error) => refused(&error.sentence()),
    }
}

fn refused(sentence: &str) -> ExitCode {
    eprintln!("berthctl: {sentence}");
    ExitCode::from(EXIT_REFUSED)
}
