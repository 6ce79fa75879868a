//! Why a store could not be opened, read or written. All of it is final: the process says it and stops.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

/// A storage error. Never retried: after a failed sync nobody knows what the disk holds.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was being done: "open".
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// sled refused.
    #[error("sled cannot {doing} {}", path.display())]
    Sled {
        /// What was being done: "apply a batch to".
        doing: &'static str,
        /// The database's directory.
        path: PathBuf,
        /// sled's own error.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A checksum, a link or a file is not what was written.
    #[error(
        "the store {} is damaged: {what}; start with --rejoin to set it aside and join as a new member (a lone replica has nobody to join: put a copy of its directory back)",
        path.display()
    )]
    Damaged {
        /// The database's or the data directory.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// Another process has the directory.
    #[error("the data directory {} is in use by process {holder}; stop it or choose another --data-dir", path.display())]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// Its process id as it wrote it, or "unknown".
        holder: String,
    },
    /// A network file system: its locks and syncs cannot be trusted.
    #[error("the data directory {} lies on {filesystem}, a network file system; use a local disk or a block volume", path.display())]
    NetworkFilesystem {
        /// The data directory.
        path: PathBuf,
        /// Its kind.
        filesystem: &'static str,
    },
    /// Nothing was ever stored here, or everything was taken away.
    #[error("the data directory {} holds no store; use --bootstrap for a new cluster, --join to enter a running one, or --rejoin if it was lost", path.display())]
    Absent {
        /// The data directory.
        path: PathBuf,
    },
    /// Something is stored here already.
    #[error("the data directory {} already holds a store; start without --bootstrap, or choose an empty directory", path.display())]
    Present {
        /// The data directory.
        path: PathBuf,
    },
    /// The directory belongs to someone else.
    #[error("the data directory {} belongs to {what} {found}, not to {expected}; check --data-dir", path.display())]
    Stranger {
        /// The data directory.
        path: PathBuf,
        /// "cluster" or "member".
        what: &'static str,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// Written in a form that this program does not read.
    #[error(
        "the {schema} {} has form {found}; this program reads {}: start the program that wrote it, or use --rejoin",
        path.display(), span(*oldest, *newest)
    )]
    Format {
        /// The data directory, or a database in it.
        path: PathBuf,
        /// What it is: "data directory", "log", "history".
        schema: &'static str,
        /// What it says.
        found: u32,
        /// The oldest form that this program reads.
        oldest: u32,
        /// The newest.
        newest: u32,
    },
    /// sled's faults could not be heard.
    #[error("the process has another logger already; sled's own errors would go unheard")]
    Logger,
    /// The caller broke a rule of the interface; writing on would make a hole.
    #[error("refused to write {what}")]
    Misuse {
        /// Which rule.
        what: String,
    },
    /// An earlier error was final.
    #[error("the store {} stopped after an earlier error: {first}", path.display())]
    Poisoned {
        /// The database's directory.
        path: PathBuf,
        /// The error that stopped it.
        first: String,
    },
}

/// "1", or "1 to 3".
fn span(oldest: u32, newest: u32) -> String {
    match oldest == newest {
        true => newest.to_string(),
        false => format!("{oldest} to {newest}"),
    }
}

// === impl Error ===

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io {
            doing,
            path,
            source,
        }
    }

    pub(crate) fn sled(doing: &'static str, path: &Path) -> impl FnOnce(sled::Error) -> Error {
        let path = path.to_owned();
        move |source| match source {
            // Its own words end in the backtrace of a build that has none.
            sled::Error::Corruption { .. } => Error::Damaged {
                path,
                what: format!("sled cannot {doing} it, a part of it was not written so"),
            },
            // We create every database with one version of sled, so this is a damaged `conf`.
            sled::Error::Unsupported(_) => Error::Damaged {
                path,
                what: format!("sled cannot {doing} it, its settings were not written so"),
            },
            source => Error::Sled {
                doing,
                path,
                source: Box::new(source),
            },
        }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Error {
        Error::Damaged {
            path: path.to_owned(),
            what: what.into(),
        }
    }

    pub(crate) fn misuse(what: impl Into<String>) -> Error {
        Error::Misuse { what: what.into() }
    }
}
