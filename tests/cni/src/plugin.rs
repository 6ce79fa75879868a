//! The plugin as a runtime runs it: environment and stdin in, stdout and exit status out.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The JSON on stdout; None if there was nothing.
    pub json: Option<Value>,
    /// The exit status.
    pub exit: i32,
    /// What people would read.
    pub log: String,
}

/// Runs a plugin to its end, with exactly this environment.
pub fn run(plugin: &Path, environment: &[(String, String)], stdin: &str) -> Answer {
    let mut child = command(plugin, environment)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the plugin starts");
    let mut input = child.stdin.take().expect("a pipe");
    // A plugin that refuses its environment need not read; the pipe is then closed under the writer.
    match input.write_all(stdin.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => panic!("stdin: {error}"),
        _ => drop(input),
    }
    answer(child.wait_with_output().expect("the plugin ends"))
}

/// The plugin's command; stdin is a pipe.
pub fn command(plugin: &Path, environment: &[(String, String)]) -> Command {
    let mut command = Command::new(plugin);
    let variables = environment.iter().map(|(name, value)| (name, value));
    command.env_clear().envs(variables).stdin(Stdio::piped());
    command
}

fn answer(output: Output) -> Answer {
    let text = String::from_utf8(output.stdout).expect("stdout is text");
    let json = (!text.is_empty()).then(|| {
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("stdout is no JSON ({error}): {text}"))
    });
    Answer {
        json,
        exit: output.status.code().unwrap_or(-1),
        log: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
