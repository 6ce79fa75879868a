//! Why a process could not be had.

use std::io;
use std::path::PathBuf;

/// What went wrong, with what the process itself said last.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A binary is not built.
    #[error("{path} is not there: cargo build -p {package}, or set BERTH_BIN_DIR")]
    NotBuilt {
        /// Where it was looked for.
        path: PathBuf,
        /// Which package makes it.
        package: String,
    },
    /// No folder for the data.
    #[error("no temporary folder: {0}")]
    Folder(#[source] io::Error),
    /// A file beside the data cannot be written or read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be started or ended.
    #[error("{name}: {source}")]
    Process {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No port is free.
    #[error("no free port on 127.0.0.1")]
    NoPorts,
    /// It ended before it was ready.
    #[error("{name} ended with {status} before it was ready; it said:\n{log}")]
    Ended {
        /// Which.
        name: String,
        /// Its exit status.
        status: String,
        /// The last lines of its log.
        log: String,
    },
    /// It did not become ready.
    #[error("{name} is not ready after {seconds} s: {reason}; it said:\n{log}")]
    NotReady {
        /// Which.
        name: String,
        /// How long was waited.
        seconds: u64,
        /// What it answered last.
        reason: String,
        /// The last lines of its log.
        log: String,
    },
}

// === impl Error ===

impl Error {
    /// Somebody took the port between its choice and its use.
    pub fn is_port_taken(&self) -> bool {
        match self {
            Self::Ended { log, .. } => log.to_lowercase().contains("address already in use"),
            _ => false,
        }
    }
}
