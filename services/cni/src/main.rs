//! `berth-cni`: the CNI plugin. Environment and JSON in, one call to Berth, JSON out.
//!
//! Keeps no state and knows nothing of addresses, interfaces or who leads: it says what the runtime said, and gives
//! back what it is told. It must start in a millisecond, so there is one thread, and one call.
//! The modules stand in the order in which a request meets them. The result or the error goes to stdout as JSON,
//! words for people go to stderr.

mod environment;

mod config;

mod arguments;

mod request;

mod service;

mod add;

mod del;

mod check;

mod gc;

mod status;

mod version;

mod result;

mod error;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde_json::Value;

use crate::config::Config;
use crate::environment::{Environment, Started, Verb};
use crate::error::{Code, Error};
use crate::request::Request;

fn main() -> ExitCode {
    let started = Started::now();
    let environment = Environment::of_process();
    // A person who tries the program in a terminal gets an answer, not a program that waits for input.
    let input = if environment.is_err() && io::stdin().is_terminal() {
        Ok(Vec::new())
    } else {
        config::read_input(io::stdin().lock())
    };
    let decoded = input.and_then(|bytes| config::decode(&bytes));
    let nothing = Value::Null;
    let cni_version = config::version_to_echo(decoded.as_ref().unwrap_or(&nothing)).to_owned();
    let outcome = environment.and_then(|environment| match environment.verb {
        Verb::Version => Ok(Some(version::run(&cni_version))),
        _ => answer(environment, &decoded?, started),
    });
    finish(outcome, &cni_version)
}

/// The verbs that need the configuration.
fn answer(
    environment: Environment,
    input: &Value,
    started: Started,
) -> Result<Option<Value>, Error> {
    if environment.verb == Verb::Del && Config::is_main_plugin(input) {
        eprintln!("berth-cni: nothing to release: Berth does not make interfaces yet");
        return Ok(None);
    }
    let config = Config::read(input)?;
    let request = Request::new(environment, config, started)?;
    berth_client::block_on(ask(&request))
        .map_err(|error| Error::new(Code::Io, format!("no runtime: {error}")))?
}

async fn ask(request: &Request) -> Result<Option<Value>, Error> {
    let client = &service::open(request)?;
    match request.environment.verb {
        Verb::Add => add::run(request, client).await.map(Some),
        Verb::Del => del::run(request, client).await.map(|()| None),
        Verb::Check => check::run(request, client).await.map(|()| None),
        Verb::Gc => gc::run(request, client).await.map(|()| None),
        Verb::Status => status::run(request, client).await.map(|()| None),
        Verb::Version => Ok(Some(version::run(request.config.version.as_str()))),
    }
}

/// The one edge: JSON on stdout, a sentence on stderr, 0 or 1 as exit status.
fn finish(outcome: Result<Option<Value>, Error>, cni_version: &str) -> ExitCode {
    let (json, status) = match outcome {
        Ok(json) => (json, ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("berth-cni: {error}");
            (Some(error.to_json(cni_version)), ExitCode::FAILURE)
        }
    };
    let Some(json) = json else {
        return status;
    };
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{json}").and_then(|()| stdout.flush()) {
        Ok(()) => status,
        Err(error) => {
            // The caller is gone: it will, or its successor will, send a DEL.
            eprintln!("berth-cni: stdout: {error}");
            ExitCode::FAILURE
        }
    }
}
