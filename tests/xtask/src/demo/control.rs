//! Asks the cluster as an administrator would: by `berthctl`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::child;
use crate::error::{Error, Result};

/// The program and whom it asks.
#[derive(Debug, Clone)]
pub struct Control {
    program: PathBuf,
    endpoints: String,
}

// === impl Control ===

impl Control {
    /// Asks these endpoints.
    pub fn new(program: &Path, endpoints: &[String]) -> Self {
        Self {
            program: program.to_owned(),
            endpoints: endpoints.join(","),
        }
    }

    /// The same program asking other endpoints.
    pub fn asking(&self, endpoints: &[String]) -> Self {
        Self::new(&self.program, endpoints)
    }

    /// The command, not started: what a user would type after `berthctl`.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        self.address(&mut command, arguments);
        command
    }

    /// The same, for a command that runs on; a tethered one dies with us, even if we are killed.
    pub fn lasting_command(&self, arguments: &[&str], tethered: bool) -> Command {
        if !tethered {
            return self.command(arguments);
        }
        let mut command = child::tethered(&self.program);
        self.address(&mut command, arguments);
        command
    }

    fn address(&self, command: &mut Command, arguments: &[&str]) {
        // Nothing of the user's own environment decides whom we ask.
        for name in ["BERTH_TLS_CA", "BERTH_TLS_CERT", "BERTH_TLS_KEY"] {
            command.env_remove(name);
        }
        command
            .env("BERTH_ENDPOINTS", &self.endpoints)
            .args(arguments);
    }

    /// For people: the text, even of an answer that does not hold.
    pub fn text(&self, arguments: &[&str]) -> Result<(String, bool)> {
        let output = self.run(arguments)?;
        let said = String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned();
        if said.is_empty() {
            Err(refused(arguments, &output))
        } else {
            Ok((said, output.status.success()))
        }
    }

    /// For programs: the JSON document of an answer that holds.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let with_format: Vec<&str> = arguments
            .iter()
            .copied()
            .chain(["--output", "json"])
            .collect();
        let output = self.run(&with_format)?;
        if !output.status.success() {
            return Err(refused(arguments, &output));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| {
            Error::new(format!(
                "berthctl {} answered no JSON: {error}",
                arguments.join(" ")
            ))
        })
    }

    /// Who leads, by the replicas asked; none while there is none.
    pub fn leader_endpoint(&self) -> Option<String> {
        let status = self.json(&["raft", "status", "--timeout", "2s"]).ok()?;
        status
            .get("leader_endpoint")
            .and_then(Value::as_str)
            .map(str::to_owned)
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.command(arguments)
            .output()
            .map_err(|error| Error::system("cannot run berthctl", &error))
    }
}

fn refused(arguments: &[&str], output: &Output) -> Error {
    let why = String::from_utf8_lossy(&output.stderr);
    Error::new(format!("berthctl {}: {}", arguments.join(" "), why.trim()))
}
