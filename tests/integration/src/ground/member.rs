//! One `berthd` in its namespace.

use super::{MEMBERS, address, io_error};
use berth_testkit::namespace::{Namespace, apart};
use berth_testkit::process::{Error, binary};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub(super) const CLIENT_PORT: u16 = 7400;
pub(super) const PEER_PORT: u16 = 7401;
/// How much of a log is shown.
const LOG_LINES_SHOWN: usize = 15;

/// What a member is started with beside its place.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Which program: "berthd", or "berthd-planted".
    pub program: String,
    /// Where the data is; none = in the run's folder.
    pub data: Option<PathBuf>,
    /// More flags.
    pub flags: Vec<String>,
    /// More environment.
    pub environment: Vec<(String, String)>,
}

/// A member's process; killed and waited for when the value goes.
pub struct Member {
    number: usize,
    namespace: String,
    /// To enter it again at each start.
    path: PathBuf,
    setup: Setup,
    data: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

// === impl Setup ===

impl Setup {
    /// The shipped program, with ticks as shipped for production, and snapshots so often that a run sees many.
    pub fn shipped() -> Self {
        let flags = [
            ("--tick-ms", "50"),
            ("--snapshot-every-entries", "400"),
            ("--snapshot-keep-entries", "100"),
            ("--ballast-mib", "1"),
            ("--disk-low-mib", "1"),
        ];
        let flags = flags
            .iter()
            .flat_map(|(name, value)| [name.to_string(), value.to_string()]);
        Self {
            program: "berthd".into(),
            flags: flags.collect(),
            ..Self::default()
        }
    }

    /// The program with a safeguard taken out, by name.
    pub fn planted(switch: &str) -> Self {
        Self {
            program: "berthd-planted".into(),
            ..Self::shipped()
        }
        .with("BERTH_PLANTED", switch)
    }

    /// The same with one variable more.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }
}

// === impl Member ===

impl Member {
    pub(super) fn new(number: usize, namespace: &Namespace, folder: &Path, setup: Setup) -> Self {
        let data = setup
            .data
            .clone()
            .unwrap_or_else(|| folder.join(format!("member-{number}")));
        Self {
            number,
            namespace: namespace.name().to_owned(),
            path: namespace.path().into(),
            setup,
            data,
            log: folder.join(format!("member-{number}.log")),
            child: None,
        }
    }

    /// 1 to 3.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Its namespace's name.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// "http://10.77.0.1:7400"
    pub fn endpoint(&self) -> String {
        format!("http://{}:{CLIENT_PORT}", address(self.number))
    }

    /// Starts the process; a new cluster is begun once.
    pub fn start(&mut self, is_new: bool) -> Result<(), Error> {
        let begin: &[&str] = if is_new { &["--bootstrap"] } else { &[] };
        self.start_with(begin)
    }

    /// The same with flags for this once.
    pub fn start_with(&mut self, flags: &[&str]) -> Result<(), Error> {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.map_err(|source| io_error(&self.log, source))?;
        let both = log
            .try_clone()
            .map_err(|source| io_error(&self.log, source))?;
        let mut command = Command::new(binary(&self.setup.program)?);
        command
            .args(self.arguments())
            .args(flags)
            .args(&self.setup.flags);
        command.envs(
            self.setup
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        );
        // Ctrl-C is for the harness.
        command.process_group(0);
        command.stdin(Stdio::null()).stdout(log).stderr(both);
        let path = &self.path;
        let started = apart(move || {
            Namespace::enter_path(path);
            command.spawn()
        });
        self.child = Some(started.map_err(|source| self.failed(source))?);
        Ok(())
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::Process {
            name: self.name(),
            source,
        }
    }

    fn name(&self) -> String {
        format!("berth-{}", self.number)
    }

    fn arguments(&self) -> Vec<String> {
        let own = address(self.number);
        let mut arguments = vec![
            "--insecure-listen".to_owned(),
            "--name".to_owned(),
            self.name(),
        ];
        for (flag, port) in [
            ("client", CLIENT_PORT),
            ("peer", PEER_PORT),
            ("metrics", 7402),
        ] {
            arguments.push(format!("--listen-{flag}"));
            arguments.push(format!("{own}:{port}"));
        }
        arguments.push("--data-dir".to_owned());
        arguments.push(self.data.to_string_lossy().into_owned());
        for number in 1..=MEMBERS {
            let at = address(number);
            arguments.push("--member".to_owned());
            arguments.push(format!(
                "name=berth-{number},client=http://{at}:{CLIENT_PORT},peer=http://{at}:{PEER_PORT}"
            ));
        }
        arguments
    }

    /// The process' id; none = it does not run.
    pub fn process(&self) -> Option<Pid> {
        let child = self.child.as_ref()?;
        i32::try_from(child.id()).ok().and_then(Pid::from_raw)
    }

    /// Sends a signal, if it runs.
    pub fn signal(&self, signal: Signal) {
        if let Some(process) = self.process() {
            kill_process(process, signal).expect("our own process");
        }
    }

    /// `kill -9`, without waiting.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Waits until it has ended, however it does.
    pub fn wait(&mut self) -> Option<ExitStatus> {
        let mut child = self.child.take()?;
        child.wait().ok()
    }

    /// Its status, if it ends by itself within this time.
    pub fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        while begun.elapsed() < limit {
            let child = self.child.as_mut()?;
            if let Ok(Some(status)) = child.try_wait() {
                self.child = None;
                return Some(status);
            }
            thread::sleep(super::LOOK_EVERY);
        }
        None
    }

    /// Whether the process is there.
    pub fn runs(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// All that it said.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of what it said.
    pub fn log_tail(&self) -> String {
        let text = self.said();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        self.kill();
        self.wait();
    }
}
