//! A temporary directory that is gone when the demo is, however the demo ends.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

/// Removed with all that is in it when dropped.
#[derive(Debug)]
pub struct Scratch {
    path: Option<PathBuf>,
}

// === impl Scratch ===

impl Scratch {
    /// A new directory that only we may read.
    pub fn create() -> Result<Self> {
        let unique = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.subsec_nanos());
        let path =
            std::env::temp_dir().join(format!("berth-demo-{}-{unique:09}", std::process::id()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| Error::system(format!("cannot make {}", path.display()), &error))?;
        Ok(Self { path: Some(path) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(""))
    }

    /// Leaves it on the disk.
    pub fn keep(mut self) -> PathBuf {
        self.path.take().unwrap_or_default()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(path) = &self.path
            && let Err(error) = fs::remove_dir_all(path)
        {
            eprintln!("xtask: {} could not be removed: {error}", path.display());
        }
    }
}
