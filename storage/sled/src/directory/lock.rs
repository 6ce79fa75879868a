//! One process per data directory.

use crate::Error;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

pub(super) const FILE: &str = "lock";

/// Held until dropped or until the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

// === impl Lock ===

impl Lock {
    pub(super) fn take(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(FILE);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(Error::InUse {
                    path: directory.to_owned(),
                    holder: holder(&path),
                });
            }
            Err(errno) => return Err(Error::io("lock", &path)(errno.into())),
        }
        file.set_len(0).map_err(Error::io("truncate", &path))?;
        // On a full disk the number may not fit; it is only for people, the lock itself needs no room.
        if let Err(error) = write!(file, "{}", std::process::id()) {
            tracing::warn!(%error, path = %path.display(), "could not write the process id into the lock file");
        }
        Ok(Self { _file: file })
    }
}

fn holder(path: &Path) -> String {
    match fs::read_to_string(path) {
        Ok(text) if !text.is_empty() => text,
        _ => "unknown".to_owned(),
    }
}
