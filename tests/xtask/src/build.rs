//! Builds the programs that people get.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::workspace;

/// Where the built programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The server.
    pub berthd: PathBuf,
    /// The CNI plugin.
    pub berth_cni: PathBuf,
    /// The command line.
    pub berthctl: PathBuf,
}

/// Builds the three and nothing else; cargo's own messages are shown.
pub fn programs(release: bool, interrupt: &Interrupt) -> Result<Programs> {
    let mut cargo = workspace::cargo();
    cargo
        .current_dir(workspace::root()?)
        .args(["build", "--locked", "--bins"]);
    cargo.args([
        "--package",
        "berthd",
        "--package",
        "berth-cni",
        "--package",
        "berthctl",
    ]);
    if release {
        cargo.arg("--release");
    }
    let status = cargo
        .status()
        .map_err(|error| Error::system("cannot run cargo", &error))?;
    interrupt.check()?;
    if !status.success() {
        return Err(Error::new("the programs do not build; see above"));
    }
    let folder = workspace::target()?.join(if release { "release" } else { "debug" });
    Ok(Programs {
        berthd: folder.join("berthd"),
        berth_cni: folder.join("berth-cni"),
        berthctl: folder.join("berthctl"),
    })
}
