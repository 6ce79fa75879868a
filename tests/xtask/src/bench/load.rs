//! Runs the load tester against one system, and reads its report.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::berth;
use super::progress::Progress;
use super::servers::Servers;
use super::settings::Settings;
use crate::child::{self, Group};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// Longer than any run that goes well.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// Debian's place for it.
pub const HOST_LOCAL: &str = "/usr/lib/cni/host-local";

/// The load tester, with what is the same in all its runs.
#[derive(Debug)]
pub struct Load<'a> {
    program: PathBuf,
    berth_cni: PathBuf,
    settings: &'a Settings,
    folder: PathBuf,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
}

/// The load tester under way.
#[derive(Debug)]
pub struct Running<'a> {
    process: Group,
    said: JoinHandle<()>,
    report: PathBuf,
    interrupt: &'a Interrupt,
}

// === impl Load ===

impl<'a> Load<'a> {
    /// Its reports pass through a file in `folder`.
    pub fn new(
        programs: &berth::Programs,
        settings: &'a Settings,
        folder: &std::path::Path,
        progress: &'a Progress,
        interrupt: &'a Interrupt,
    ) -> Self {
        Self {
            program: programs.loadtest.clone(),
            berth_cni: programs.berth_cni.clone(),
            settings,
            folder: folder.to_owned(),
            progress,
            interrupt,
        }
    }

    /// ADDs; the servers end afterwards.
    pub fn allocate(&self, mut servers: Servers) -> Result<Value> {
        self.run(&mut servers, |command| self.allocate_arguments(command))
    }

    /// etcd's transactions; the servers end afterwards.
    pub fn transact(&self, mut servers: Servers) -> Result<Value> {
        self.run(&mut servers, |command| {
            self.allocate_arguments(command);
            command.arg("--etcd");
        })
    }

    /// Pods that come and go; the servers end afterwards.
    pub fn churn(&self, mut servers: Servers) -> Result<Value> {
        let seconds = self.settings.churn_seconds.to_string();
        self.run(&mut servers, |command| {
            command.args(["--scenario", "churn", "--seconds", &seconds]);
        })
    }

    /// CNI plugins as processes; the servers end afterwards.
    pub fn plugins(&self, mut servers: Servers, data: &std::path::Path) -> Result<Value> {
        let settings = self.settings;
        let running = self.start("plugins", |command| {
            command.args(["--endpoints", &servers.endpoints()]);
            command.arg("--berth-cni").arg(&self.berth_cni);
            command
                .args(["--host-local", HOST_LOCAL, "--data"])
                .arg(data);
            command.args(["--rounds", &settings.plugin_rounds.to_string()]);
            command.args(["--calls", &settings.plugin_calls.to_string()]);
            command.args(["--seconds", &settings.plugin_seconds.to_string()]);
        })?;
        running.report(&mut servers)
    }

    /// So many allocations, which stay.
    pub fn fill(&self, servers: &mut Servers, allocations: u64) -> Result<Value> {
        let running = self.start("fill", |command| {
            command.args(["--endpoints", &servers.endpoints()]);
            command.args(["--allocations", &allocations.to_string()]);
        })?;
        running.report(servers)
    }

    /// ADDs that arrive at this rate, one round.
    pub fn offered(&self, servers: &mut Servers, per_second: u32, seconds: u32) -> Result<Value> {
        self.run(servers, |command| {
            command.args(["--scenario", "allocate", "--in-flight", ""]);
            command.args(["--open-loop", &per_second.to_string()]);
            command.args(["--seconds", &seconds.to_string()]);
            command.args(["--warm-up-seconds", "1"]);
        })
    }

    /// Changes of the leader, so many; by killing it if there are victims, "ENDPOINT=PROCESS_ID" each.
    pub fn hand_over(
        &self,
        servers: &mut Servers,
        cycles: u32,
        victims: &[String],
    ) -> Result<Value> {
        let running = self.start("hand-over", |command| {
            command.args(["--endpoints", &servers.endpoints()]);
            command.args(["--cycles", &cycles.to_string()]);
            for victim in victims {
                command.args(["--kill", victim]);
            }
        })?;
        running.report(servers)
    }

    /// Begins to wait for a server that may not have been started yet.
    pub fn ready(&self, endpoint: &str) -> Result<Running<'a>> {
        self.start("ready", |command| {
            command.args(["--endpoint", endpoint]);
        })
    }

    fn allocate_arguments(&self, command: &mut Command) {
        let settings = self.settings;
        command.args(["--scenario", "allocate"]);
        command.args(["--seconds", &settings.seconds.to_string()]);
        command.args(["--warm-up-seconds", &settings.warm_up_seconds.to_string()]);
        command.args(["--in-flight", &settings.in_flight]);
        command.args(["--open-loop", &settings.open_loop]);
    }

    fn run(&self, servers: &mut Servers, say: impl Fn(&mut Command)) -> Result<Value> {
        let running = self.start("run", |command| {
            command.args(["--endpoints", &servers.endpoints()]);
            for watched in servers.watched() {
                command.args(["--watch", &watched]);
            }
            say(command);
        })?;
        running.report(servers)
    }

    fn start(&self, verb: &str, say: impl FnOnce(&mut Command)) -> Result<Running<'a>> {
        let report = self.folder.join(format!("{verb}.json"));
        if report.exists() {
            std::fs::remove_file(&report)
                .map_err(|error| Error::system("cannot remove the last report", &error))?;
        }
        let mut command = child::tethered(&self.program);
        command.args([verb, "--json"]).arg(&report);
        say(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::piped());
        let mut process = Group::start(&mut command, "berth-loadtest")?;
        let errors = process.child().stderr.take();
        let errors = errors.ok_or(Error::new("the load tester has no output"))?;
        Ok(Running {
            process,
            said: self.progress.relay(errors),
            report,
            interrupt: self.interrupt,
        })
    }
}

// === impl Running ===

impl Running<'_> {
    /// Waits for its end. It fails for a wrong address too, and then its report says so.
    pub fn report(mut self, servers: &mut Servers) -> Result<Value> {
        self.interrupt.wait_for("the load tester", LIMIT, || {
            (!self.process.is_running()).then_some(())
        })?;
        // What it said last is about what went wrong.
        if self.said.join().is_err() {
            return Err(Error::new("the load tester's words could not be shown"));
        }
        let text = std::fs::read_to_string(&self.report).map_err(|_| {
            Error::new(format!(
                "the load tester made no report, see above{}",
                servers.last_words()
            ))
        })?;
        serde_json::from_str(&text)
            .map_err(|error| Error::new(format!("the load tester's report is no JSON: {error}")))
    }
}
