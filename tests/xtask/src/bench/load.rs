//! Runs the load tester against one system, and reads its report.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::servers::Servers;
use super::{Arguments, berth};
use crate::child::{self, Group};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// Longer than any run that goes well.
const LIMIT: Duration = Duration::from_secs(30 * 60);
const WARM_UP_SECONDS: &str = "2";

/// The load tester, with what is the same in all its runs.
#[derive(Debug)]
pub struct Load<'a> {
    program: PathBuf,
    arguments: &'a Arguments,
    report: PathBuf,
    interrupt: &'a Interrupt,
}

// === impl Load ===

impl<'a> Load<'a> {
    /// Its reports pass through a file in `folder`.
    pub fn new(
        programs: &berth::Programs,
        arguments: &'a Arguments,
        folder: &std::path::Path,
        interrupt: &'a Interrupt,
    ) -> Self {
        Self {
            program: programs.loadtest.clone(),
            arguments,
            report: folder.join("load.json"),
            interrupt,
        }
    }

    /// ADDs; the servers end afterwards.
    pub fn allocate(&self, servers: Servers) -> Result<Value> {
        self.run(servers, |command| self.allocate_arguments(command))
    }

    /// etcd's transactions; the servers end afterwards.
    pub fn transact(&self, servers: Servers) -> Result<Value> {
        self.run(servers, |command| {
            self.allocate_arguments(command);
            command.arg("--etcd");
        })
    }

    /// Pods that come and go; the servers end afterwards.
    pub fn churn(&self, servers: Servers, seconds: u32) -> Result<Value> {
        self.run(servers, |command| {
            command.args(["--scenario", "churn", "--seconds", &seconds.to_string()]);
        })
    }

    fn allocate_arguments(&self, command: &mut Command) {
        let seconds = self.arguments.seconds.to_string();
        command.args(["--scenario", "allocate", "--seconds", &seconds]);
        command.args(["--warm-up-seconds", WARM_UP_SECONDS]);
        command.args(["--in-flight", &self.arguments.in_flight]);
        command.args(["--open-loop", &self.arguments.open_loop]);
    }

    fn run(&self, mut servers: Servers, say: impl Fn(&mut Command)) -> Result<Value> {
        if self.report.exists() {
            std::fs::remove_file(&self.report)
                .map_err(|error| Error::system("cannot remove the last report", &error))?;
        }
        let mut command = child::tethered(&self.program)?;
        command
            .args(["run", "--endpoints", &servers.endpoints(), "--json"])
            .arg(&self.report);
        for watched in servers.watched() {
            command.args(["--watch", &watched]);
        }
        say(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut process = Group::start(&mut command, "berth-loadtest")?;
        self.interrupt.wait_for("the load tester", LIMIT, || {
            (!process.is_running()).then_some(())
        })?;
        // It fails for a wrong address too, and then its report says so.
        let text = std::fs::read_to_string(&self.report).map_err(|_| {
            Error::new(format!(
                "the load tester made no report{}",
                servers.last_words()
            ))
        })?;
        serde_json::from_str(&text)
            .map_err(|error| Error::new(format!("the load tester's report is no JSON: {error}")))
    }
}
