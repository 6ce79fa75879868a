//! What stops a chore.

use std::fmt;
use std::io;

/// Why a chore could not be done.
#[derive(Debug)]
pub enum Error {
    /// One sentence: what, why, what to do next.
    Failed(String),
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// A chore's result.
pub type Result<T> = std::result::Result<T, Error>;

// === impl Error ===

impl Error {
    /// From a sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self::Failed(sentence.into())
    }

    /// From what the system refused.
    pub fn system(what: impl fmt::Display, source: &io::Error) -> Self {
        Self::Failed(format!("{what}: {source}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(sentence) => formatter.write_str(sentence),
            Self::Interrupted => formatter.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Error {}
