//! berthd with optimisation, one replica or three.

use std::path::{Path, PathBuf};

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
    /// The load tester.
    pub loadtest: PathBuf,
}

/// Builds both; cargo's own messages are shown.
pub fn build(interrupt: &Interrupt) -> Result<Programs> {
    let mut cargo = workspace::cargo();
    cargo.current_dir(workspace::root()?);
    cargo.args(["build", "--locked", "--release", "--bins"]);
    cargo.args(["--package", "berthd", "--package", "berth-loadtest"]);
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
        loadtest: folder.join("berth-loadtest"),
    })
}

/// Starts a new cluster; the load tester waits for its leader.
pub fn start(programs: &Programs, replicas: usize, data: &Path) -> Result<Servers> {
    let mut servers = Servers::new("berth", data)?;
    let addresses = free_addresses(3 * replicas)?;
    let addresses: Vec<_> = addresses.chunks(3).collect();
    for (at, own) in addresses.iter().enumerate() {
        let name = name(at);
        let mut command = child::tethered(&programs.berthd)?;
        let variables = std::env::vars_os().map(|(name, _)| name);
        for variable in variables.filter(|name| name.to_string_lossy().starts_with("BERTH_")) {
            command.env_remove(variable);
        }
        command
            .args(["--name", &name, "--data-dir"])
            .arg(servers.folder(&name));
        command.args(["--listen-client", &own[0].to_string()]);
        command.args(["--listen-peer", &own[1].to_string()]);
        command.args(["--listen-metrics", &own[2].to_string()]);
        command.args(["--log-filter", "warn"]);
        if replicas == 1 {
            command.arg("--dev");
        } else {
            command.arg("--bootstrap");
            for (at, other) in addresses.iter().enumerate() {
                let (client, peer) = (other[0], other[1]);
                let other = self::name(at);
                let member = format!("name={other},client=http://{client},peer=http://{peer}");
                command.args(["--member", &member]);
            }
        }
        servers.start(&name, format!("http://{}", own[0]), &mut command)?;
    }
    Ok(servers)
}

fn name(at: usize) -> String {
    format!("berth-{}", at + 1)
}
