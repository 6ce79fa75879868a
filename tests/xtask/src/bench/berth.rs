//! Berth as people get it, with optimisation, one replica or three.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::servers::{Servers, free_addresses};
use crate::child;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::workspace;

/// What an answer means.
pub const DURABLE: &str = "an ADD is answered after the log entry that holds it was written and synced \
(sync_data on sled's file) by a majority of the replicas, and applied";

/// What the bench runs.
#[derive(Debug)]
pub struct Programs {
    berthd: PathBuf,
    /// The plugin.
    pub berth_cni: PathBuf,
    /// What administrators type.
    pub berthctl: PathBuf,
    /// The load tester.
    pub loadtest: PathBuf,
    /// The ledger alone.
    pub apply_speed: PathBuf,
}

/// A replica's name and its three listeners: client, peer, metrics.
#[derive(Clone, Debug)]
pub struct Server {
    pub name: String,
    /// Where clients ask.
    pub endpoint: String,
    listeners: Vec<SocketAddr>,
    folder: PathBuf,
}

/// Builds them; cargo's own messages are shown.
pub fn build(interrupt: &Interrupt) -> Result<Programs> {
    let mut cargo = workspace::cargo();
    cargo.current_dir(workspace::root()?);
    cargo.args(["build", "--locked", "--release", "--bins"]);
    cargo.args(["--package", "berthd", "--package", "berth-cni"]);
    cargo.args(["--package", "berth-loadtest", "--package", "berthctl"]);
    cargo.args(["--package", "berth-domain", "--example", "apply_speed"]);
    let status = cargo
        .status()
        .map_err(|error| Error::system("cannot run cargo", &error))?;
    interrupt.check()?;
    if !status.success() {
        return Err(Error::new("the programs do not build; see above"));
    }
    let folder = workspace::target()?.join("release");
    Ok(Programs {
        berthd: folder.join("berthd"),
        berth_cni: folder.join("berth-cni"),
        berthctl: folder.join("berthctl"),
        loadtest: folder.join("berth-loadtest"),
        apply_speed: folder.join("examples/apply_speed"),
    })
}

/// Starts a new cluster of one or three; the load tester waits for its leader.
pub fn start(programs: &Programs, replicas: usize, data: &Path) -> Result<Servers> {
    if replicas == 1 {
        return Ok(start_alone(programs, data)?.0);
    }
    Ok(start_three(programs, data)?.0)
}

/// Starts three replicas that can be started again, one by one.
pub fn start_three(programs: &Programs, data: &Path) -> Result<(Servers, Vec<Server>)> {
    let mut servers = Servers::new("berth", data)?;
    let all = all(3, &servers)?;
    for server in &all {
        let mut command = server.in_cluster(programs, &all);
        servers.start(&server.name, server.endpoint.clone(), &mut command)?;
    }
    Ok((servers, all))
}

/// Starts one replica that can be started again.
pub fn start_alone(programs: &Programs, data: &Path) -> Result<(Servers, Server)> {
    let mut servers = Servers::new("berth", data)?;
    let mut all = all(1, &servers)?;
    let server = all.remove(0);
    let mut command = server.command(programs);
    servers.start(&server.name, server.endpoint.clone(), &mut command)?;
    Ok((servers, server))
}

/// Starts one replica, and says where a second one would be.
pub fn start_alone_with_room(
    programs: &Programs,
    data: &Path,
) -> Result<(Servers, Server, Server)> {
    let mut servers = Servers::new("berth", data)?;
    let mut all = all(2, &servers)?;
    let (second, server) = (all.remove(1), all.remove(0));
    let mut command = server.command(programs);
    servers.start(&server.name, server.endpoint.clone(), &mut command)?;
    Ok((servers, server, second))
}

fn all(replicas: usize, servers: &Servers) -> Result<Vec<Server>> {
    let addresses = free_addresses(3 * replicas)?;
    let server = |(at, listeners): (usize, &[SocketAddr])| {
        let name = format!("berth-{}", at + 1);
        Server {
            endpoint: format!("http://{}", listeners[0]),
            listeners: listeners.to_vec(),
            folder: servers.folder(&name),
            name,
        }
    };
    Ok(addresses.chunks(3).enumerate().map(server).collect())
}

// === impl Server ===

impl Server {
    /// As the only replica: its first start and every later one.
    pub fn command(&self, programs: &Programs) -> Command {
        let mut command = self.any(programs);
        command.arg("--dev");
        command
    }

    /// Where its metrics are.
    pub fn metrics(&self) -> SocketAddr {
        self.listeners[2]
    }

    /// As a new member beside one that runs.
    pub fn joining(&self, programs: &Programs, beside: &Self) -> Command {
        let mut command = self.any(programs);
        command.args(["--join", &format!("http://{}", beside.listeners[1])]);
        command
    }

    /// As one of several, its first start.
    fn in_cluster(&self, programs: &Programs, all: &[Self]) -> Command {
        let mut command = self.again(programs, all);
        command.arg("--bootstrap");
        command
    }

    /// As one of several, every later start.
    pub fn again(&self, programs: &Programs, all: &[Self]) -> Command {
        let mut command = self.any(programs);
        for other in all {
            let (name, client, peer) = (&other.name, &other.endpoint, other.listeners[1]);
            let member = format!("name={name},client={client},peer=http://{peer}");
            command.args(["--member", &member]);
        }
        command
    }

    fn any(&self, programs: &Programs) -> Command {
        let mut command = child::tethered(&programs.berthd);
        let variables = std::env::vars_os().map(|(name, _)| name);
        for variable in variables.filter(|name| name.to_string_lossy().starts_with("BERTH_")) {
            command.env_remove(variable);
        }
        command
            .args(["--name", &self.name, "--data-dir"])
            .arg(&self.folder);
        let options = ["--listen-client", "--listen-peer", "--listen-metrics"];
        for (option, address) in options.iter().zip(&self.listeners) {
            command.args([*option, &address.to_string()]);
        }
        command.args(["--log-filter", "warn"]);
        command
    }
}
