//! The CNI project's `host-local`: a file per address, in one directory per network.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::pool::{CIDR, FIRST};
use super::series::Subject;
use crate::Error;

const NETWORK: &str = "plugins";
/// Where it goes on to look.
const LAST_RESERVED: &str = "last_reserved_ip.0";

/// The program with its files, which are removed with this.
pub(crate) struct HostLocal {
    program: PathBuf,
    folder: PathBuf,
    in_use: u64,
    size: u64,
}

// === impl HostLocal ===

impl HostLocal {
    /// Its files go into a folder of their own.
    pub(crate) fn make(program: &Path, data: &Path, size: u64) -> Result<Self, Error> {
        let folder = data.join(format!("host-local-{}", std::process::id()));
        let made = Self {
            program: program.to_owned(),
            folder,
            in_use: 0,
            size,
        };
        fs::create_dir_all(made.network()).map_err(|source| made.failed(source))?;
        Ok(made)
    }

    /// Writes files as it does itself (plugins/ipam/host-local/backend/disk of containernetworking/plugins 1.1).
    pub(crate) fn fill(&mut self, in_use: u64) -> Result<(), Error> {
        assert!(in_use <= self.size, "more than there are");
        while self.in_use < in_use {
            let address = address(self.in_use);
            let holder = crate::target::container_id(self.in_use, self.in_use);
            let write = |name: &str, text: String| fs::write(self.network().join(name), text);
            write(&address.to_string(), format!("{holder}\r\neth0"))
                .and_then(|()| write(LAST_RESERVED, address.to_string()))
                .map_err(|source| self.failed(source))?;
            self.in_use += 1;
        }
        Ok(())
    }

    fn network(&self) -> PathBuf {
        self.folder.join(NETWORK)
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::File {
            path: self.folder.clone(),
            source,
        }
    }
}

/// Its first address is the one after the gateway's, as with Berth.
fn address(number: u64) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST.to_bits().wrapping_add(number as u32))
}

impl Subject for HostLocal {
    fn program(&self) -> &Path {
        &self.program
    }

    fn config(&self, _: u64) -> String {
        let ipam =
            json!({"type": "host-local", "dataDir": self.folder, "ranges": [[{"subnet": CIDR}]]});
        json!({"cniVersion": "1.0.0", "name": NETWORK, "type": "bridge", "ipam": ipam}).to_string()
    }
}

impl Drop for HostLocal {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HostLocal;
    use std::path::Path;

    /// Promise: what is filled is what host-local itself would have written, and it goes with the measurement.
    #[test]
    fn files_are_written_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut host_local = HostLocal::make(Path::new("/bin/false"), folder.path(), 9).unwrap();
        host_local.fill(1).unwrap();
        host_local.fill(3).unwrap();
        let network = host_local.network();
        assert_eq!(std::fs::read_dir(&network).unwrap().count(), 4);
        let read = |name| std::fs::read_to_string(network.join(name)).unwrap();
        assert_eq!(read("last_reserved_ip.0"), "10.250.0.4");
        let holder = read("10.250.0.2");
        assert!(
            holder.len() == 64 + 6 && holder.ends_with("\r\neth0"),
            "{holder:?}"
        );
        drop(host_local);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
