//! Three berthd as processes on free loopback ports.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::PATIENCE;
use super::control::Control;
use crate::build::Programs;
use crate::child::{self, Group};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// Enough to lose one.
const REPLICAS: usize = 3;

/// The replicas, and how to ask them.
#[derive(Debug)]
pub struct Cluster {
    replicas: Vec<Replica>,
    control: Control,
}

#[derive(Debug)]
struct Replica {
    name: String,
    program: PathBuf,
    folder: PathBuf,
    ports: Ports,
    process: Option<Group>,
    /// Whether it dies with us, even if we are killed.
    tethered: bool,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    client: SocketAddr,
    peer: SocketAddr,
    metrics: SocketAddr,
}

// === impl Cluster ===

impl Cluster {
    /// Starts all three and waits until one leads. A tethered cluster dies with us, even if we are killed.
    pub fn start(
        programs: &Programs,
        folder: &Path,
        tethered: bool,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let ports = free_ports()?;
        let replicas: Vec<Replica> = (1..)
            .zip(ports)
            .map(|(number, ports)| Replica::new(number, ports, programs, folder, tethered))
            .collect();
        let endpoints: Vec<String> = replicas.iter().map(Replica::endpoint).collect();
        let mut cluster = Self {
            replicas,
            control: Control::new(&programs.berthctl, &endpoints),
        };
        let members: Vec<String> = cluster.replicas.iter().map(Replica::as_member).collect();
        for replica in &mut cluster.replicas {
            replica.start(&members, true)?;
        }
        cluster.wait_for_leader(interrupt)?;
        Ok(cluster)
    }

    /// The endpoints of all replicas, running or not.
    pub fn endpoints(&self) -> Vec<String> {
        self.replicas.iter().map(Replica::endpoint).collect()
    }

    /// Whether it dies with us.
    pub fn is_tethered(&self) -> bool {
        self.replicas.iter().all(|replica| replica.tethered)
    }

    /// Asks all of them.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// `kill -9` of the leader; its name.
    pub fn kill_leader(&mut self, interrupt: &Interrupt) -> Result<String> {
        let leader = self.wait_for_leader(interrupt)?;
        let found = self
            .replicas
            .iter_mut()
            .find(|replica| replica.endpoint() == leader);
        let replica = found.ok_or(Error::new(format!("{leader} leads, but is none of ours")))?;
        if let Some(mut process) = replica.process.take() {
            process.kill();
        }
        Ok(replica.name.clone())
    }

    /// Waits until one of the running replicas leads; its endpoint.
    pub fn wait_for_leader(&mut self, interrupt: &Interrupt) -> Result<String> {
        let running: Vec<String> = self
            .replicas
            .iter()
            .filter(|replica| replica.process.is_some())
            .map(Replica::endpoint)
            .collect();
        let control = self.control.asking(&running);
        let replicas = &mut self.replicas;
        interrupt.wait_for("a leader", PATIENCE, || {
            if let Some(dead) = replicas.iter_mut().find_map(Replica::died_by_itself) {
                return Some(Err(dead));
            }
            control
                .leader_endpoint()
                .filter(|leader| running.contains(leader))
                .map(Ok)
        })?
    }

    /// Starts the killed replica again on its own data.
    pub fn restart_killed(&mut self) -> Result<()> {
        for replica in self
            .replicas
            .iter_mut()
            .filter(|replica| replica.process.is_none())
        {
            replica.start(&[], false)?;
        }
        Ok(())
    }

    /// The last lines of those that ended by themselves.
    pub fn last_words(&mut self) -> Vec<String> {
        self.replicas
            .iter_mut()
            .filter_map(Replica::died_by_itself)
            .map(|error| error.to_string())
            .collect()
    }

    /// Lets them run on; their process ids.
    pub fn release(&mut self) -> Vec<u32> {
        let running = self
            .replicas
            .iter_mut()
            .filter_map(|replica| replica.process.take());
        running.map(Group::release).collect()
    }
}

// === impl Replica ===

impl Replica {
    fn new(
        number: usize,
        ports: Ports,
        programs: &Programs,
        folder: &Path,
        tethered: bool,
    ) -> Self {
        let name = format!("berth-{number}");
        Self {
            folder: folder.join(&name),
            name,
            program: programs.berthd.clone(),
            ports,
            process: None,
            tethered,
        }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.ports.client)
    }

    fn as_member(&self) -> String {
        format!(
            "name={},client=http://{},peer=http://{}",
            self.name, self.ports.client, self.ports.peer
        )
    }

    fn log_path(&self) -> PathBuf {
        self.folder.with_extension("log")
    }

    /// `members` only the first time.
    fn start(&mut self, members: &[String], bootstrap: bool) -> Result<()> {
        let opened = File::options()
            .create(true)
            .append(true)
            .open(self.log_path());
        let log = opened.map_err(|error| Error::system("cannot open a log file", &error))?;
        let errors = log
            .try_clone()
            .map_err(|error| Error::system("cannot open a log file", &error))?;
        let mut command = if self.tethered {
            child::tethered(&self.program)
        } else {
            Command::new(&self.program)
        };
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BERTH_"))
        {
            command.env_remove(name);
        }
        command
            .arg("--name")
            .arg(&self.name)
            .arg("--data-dir")
            .arg(&self.folder);
        command
            .arg("--listen-client")
            .arg(self.ports.client.to_string());
        command
            .arg("--listen-peer")
            .arg(self.ports.peer.to_string());
        command
            .arg("--listen-metrics")
            .arg(self.ports.metrics.to_string());
        // A laptop's temporary directory may be small; nothing here is worth a ballast.
        command.args(["--ballast-mib", "0", "--disk-low-mib", "16"]);
        if bootstrap {
            command.arg("--bootstrap");
        }
        for member in members {
            command.arg("--member").arg(member);
        }
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        self.process = Some(Group::start(&mut command, "berthd")?);
        Ok(())
    }

    /// Its last lines, if it ended and nobody killed it.
    fn died_by_itself(&mut self) -> Option<Error> {
        let process = self.process.as_mut()?;
        if process.is_running() {
            return None;
        }
        let log = std::fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(8)..].join("\n  ");
        Some(Error::new(format!(
            "{} ended by itself:\n  {tail}",
            self.name
        )))
    }
}

/// Ports that nobody listens on now. Another program may take one before berthd does; then berthd says so and ends.
fn free_ports() -> Result<Vec<Ports>> {
    let bound: std::io::Result<Vec<TcpListener>> = (0..REPLICAS * 3)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect();
    let addresses: std::io::Result<Vec<SocketAddr>> =
        bound.and_then(|listeners| listeners.iter().map(TcpListener::local_addr).collect());
    let addresses = addresses.map_err(|error| Error::system("no free loopback port", &error))?;
    Ok(addresses
        .chunks(3)
        .map(|three| Ports {
            client: three[0],
            peer: three[1],
            metrics: three[2],
        })
        .collect())
}
