//! One call of a plugin: environment and JSON in, JSON out, and how long the process lived.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Error;
use crate::random::mix;

/// What a container runtime says of one sandbox.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) verb: &'static str,
    /// Tells this sandbox from all others.
    pub(crate) number: u64,
    /// The network configuration.
    pub(crate) config: String,
}

/// What a plugin answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// From before the process was made until it had ended.
    pub(crate) took: Duration,
    /// None = it succeeded; else what it said.
    pub(crate) refused: Option<String>,
}

// === impl Call ===

impl Call {
    /// The program with everything but its standard streams.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        self.describe(&mut command);
        command
    }

    /// Sets the environment, and nothing else is in it.
    pub(crate) fn describe(&self, command: &mut Command) {
        let container = crate::target::container_id(mix(self.number), self.number);
        let pod = format!(
            "IgnoreUnknown=1;K8S_POD_NAMESPACE=plugins;K8S_POD_NAME=pod-{};K8S_POD_INFRA_CONTAINER_ID={container};K8S_POD_UID={}",
            self.number,
            crate::target::uid(self.number)
        );
        command
            .env_clear()
            .env("CNI_COMMAND", self.verb)
            .env("CNI_NETNS", format!("/var/run/netns/{container}"))
            .env("CNI_CONTAINERID", container)
            .env("CNI_IFNAME", "eth0")
            .env("CNI_PATH", "/opt/cni/bin")
            .env("CNI_ARGS", pod);
    }

    /// Makes the call.
    pub(crate) fn make(&self, program: &Path) -> Result<Answer, Error> {
        let failed = |source| Error::File {
            path: program.to_owned(),
            source,
        };
        let mut command = self.command(program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::null());
        let begun = Instant::now();
        let mut process = command.spawn().map_err(failed)?;
        let mut text = String::new();
        if let Some(mut input) = process.stdin.take() {
            match input.write_all(self.config.as_bytes()) {
                // It ended before it read everything, and says why.
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    return Err(failed(error));
                }
                _ => drop(input),
            }
        }
        if let Some(mut output) = process.stdout.take() {
            output.read_to_string(&mut text).map_err(failed)?;
        }
        let status = process.wait().map_err(failed)?;
        let took = begun.elapsed();
        Ok(Answer {
            took,
            refused: (!status.success()).then(|| message(&text)),
        })
    }
}

/// What an error document says; else what there is.
fn message(text: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let message = document["msg"].as_str().map(str::to_owned);
    message.unwrap_or_else(|| format!("no error document: {text:?}"))
}
