//! Processes under load: started together, gone together, with their data.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::child::{Group, signal_group};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// The processes of one system. When it is dropped they are killed, and then their data is removed.
#[derive(Debug)]
pub struct Servers {
    processes: Vec<(String, Group, PathBuf)>,
    endpoints: Vec<String>,
    folder: PathBuf,
}

/// How much of a log an error shows.
const LOG_LINES_SHOWN: usize = 8;

// === impl Servers ===

impl Servers {
    /// None yet; their data goes into a fresh folder under `data`.
    pub fn new(system: &str, data: &Path) -> Result<Self> {
        let folder = data.join(format!("{system}-{}", std::process::id()));
        let failed = |error| Error::system(format!("cannot make {}", folder.display()), &error);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(failed)?;
        }
        std::fs::create_dir_all(&folder).map_err(failed)?;
        // What an earlier system left to be written must not be paid for by this one.
        rustix::fs::sync();
        Ok(Self {
            processes: Vec::new(),
            endpoints: Vec::new(),
            folder,
        })
    }

    /// Where a server's data goes.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// One more, which serves clients at `endpoint`.
    pub fn start(&mut self, name: &str, endpoint: String, command: &mut Command) -> Result<()> {
        let path = self.folder.join(format!("{name}.log"));
        let failed = |error| Error::system(format!("cannot write {}", path.display()), &error);
        let log = File::create(&path).map_err(failed)?;
        let errors = log.try_clone().map_err(failed)?;
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let group = Group::start(command, name)?;
        self.processes.push((name.to_owned(), group, path));
        self.endpoints.push(endpoint);
        Ok(())
    }

    /// Ends all of them that way and waits until they are gone; their data stays, to be started on again.
    pub fn end(&mut self, signal: Signal, limit: Duration, interrupt: &Interrupt) -> Result<()> {
        for (_, group, _) in &self.processes {
            signal_group(group.id(), signal);
        }
        interrupt.wait_for("the servers' end", limit, || {
            let mut all = self.processes.iter_mut();
            all.all(|(_, group, _)| !group.is_running()).then_some(())
        })?;
        self.processes.clear();
        self.endpoints.clear();
        Ok(())
    }

    /// Waits until one at least has ended, and forgets those that have; their names.
    pub fn forget_ended(&mut self, limit: Duration, interrupt: &Interrupt) -> Result<Vec<String>> {
        interrupt.wait_for("a server's end", limit, || {
            let mut all = self.processes.iter_mut();
            all.any(|(_, group, _)| !group.is_running()).then_some(())
        })?;
        let (mut gone, mut endpoints) = (Vec::new(), std::mem::take(&mut self.endpoints));
        self.processes.retain_mut(|(name, group, _)| {
            let endpoint = endpoints.remove(0);
            match group.is_running() {
                true => self.endpoints.push(endpoint),
                false => gone.push(name.clone()),
            }
            group.is_running()
        });
        Ok(gone)
    }

    /// "ENDPOINT=PROCESS_ID" of each.
    pub fn processes(&self) -> Vec<String> {
        let all = self.endpoints.iter().zip(&self.processes);
        all.map(|(endpoint, (_, group, _))| format!("{endpoint}={}", group.id()))
            .collect()
    }

    /// The most memory that any of them had so far.
    pub fn resident_peak_bytes(&self) -> u64 {
        let peak = |(_, group, _): &(String, Group, PathBuf)| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", group.id()));
            let status = status.unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            number.map_or(0, |kibibytes: u64| kibibytes * 1024)
        };
        self.processes.iter().map(peak).max().unwrap_or(0)
    }

    /// Where clients ask.
    pub fn endpoints(&self) -> String {
        self.endpoints.join(",")
    }

    /// "NAME=PROCESS_ID" of each.
    pub fn watched(&self) -> Vec<String> {
        let named = |(name, group, _): &(String, Group, PathBuf)| format!("{name}={}", group.id());
        self.processes.iter().map(named).collect()
    }

    /// The last words of those that ended, or of all.
    pub fn last_words(&mut self) -> String {
        let any_ended = self
            .processes
            .iter_mut()
            .any(|(_, group, _)| !group.is_running());
        let mut words = String::new();
        for (name, group, log) in &mut self.processes {
            if any_ended && group.is_running() {
                continue;
            }
            let text = std::fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let tail = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            words += &format!("\n{name} said last:\n  {}", tail.join("\n  "));
        }
        words
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.processes.clear();
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("xtask: cannot remove {}: {error}", self.folder.display());
        }
    }
}

/// Loopback addresses that nobody listens on now. Another program may take one; then a server says so and ends.
pub fn free_addresses(count: usize) -> Result<Vec<SocketAddr>> {
    let bound: std::io::Result<Vec<TcpListener>> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect();
    let addresses: std::io::Result<Vec<SocketAddr>> =
        bound.and_then(|listeners| listeners.iter().map(TcpListener::local_addr).collect());
    addresses.map_err(|error| Error::system("no free loopback port", &error))
}
