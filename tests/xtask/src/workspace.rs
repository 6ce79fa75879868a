//! Where things are.

use std::path::PathBuf;

use crate::error::{Error, Result};

/// The repository's root.
pub fn root() -> Result<PathBuf> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = manifest.join("../..");
    root.canonicalize()
        .map_err(|error| Error::system("cannot find the repository", &error))
}

/// Where cargo builds: `CARGO_TARGET_DIR`, else `target`.
pub fn target() -> Result<PathBuf> {
    let root = root()?;
    Ok(match std::env::var_os("CARGO_TARGET_DIR") {
        Some(path) => root.join(path),
        None => root.join("target"),
    })
}

/// The cargo that runs us, else the one of the path.
pub fn cargo() -> std::process::Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    std::process::Command::new(cargo)
}
