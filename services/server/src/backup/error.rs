//! Why a file is no backup that can be trusted.

use crate::codec;
use crate::replica::RestoreError;
use berth_domain::invariant::Violation;
use std::io;
use std::path::PathBuf;

/// Nothing is done with a file that has one of these.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be opened.
    #[error("the backup {} cannot be opened", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The disk.
    #[error("the backup cannot be read")]
    Read(#[source] io::Error),
    /// It begins with something else.
    #[error("this is no backup of Berth: use a file that `berthctl snapshot save` made")]
    NotABackup,
    /// It ends too early.
    #[error(
        "the backup is cut off at byte {at}: it was not saved or copied to its end; use another one"
    )]
    Truncated {
        /// Where it ends.
        at: u64,
    },
    /// A frame is not what was written.
    #[error("the backup is damaged at byte {at}: {what}; use another copy")]
    Damaged {
        /// Where the frame begins.
        at: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// Its digest is not that of its bytes.
    #[error("the backup's frames do not add up to what its end says; use another copy")]
    Digest,
    /// A frame that this version cannot read.
    #[error("the backup's frame at byte {at} cannot be read by this version")]
    Frame {
        /// Where it begins.
        at: u64,
        /// Why.
        #[source]
        source: codec::Error,
    },
    /// Its ledger.
    #[error("the backup's ledger cannot be read")]
    Ledger(#[from] RestoreError),
    /// Its history.
    #[error("the backup's history does not hold")]
    History(#[source] Violation),
    /// Its history begins or ends elsewhere than it says.
    #[error(
        "the backup's history goes from revision {first} to {last}, where {expected_first} to {expected_last} is said"
    )]
    HistoryBounds {
        /// Where it begins.
        first: u64,
        /// Where it ends.
        last: u64,
        /// Where it should begin.
        expected_first: u64,
        /// Where it should end.
        expected_last: u64,
    },
    /// Its parts are not of one moment.
    #[error("the backup contradicts itself: {0}")]
    Contradiction(&'static str),
    /// A rule does not hold in its ledger.
    #[error("the backup's ledger breaks a rule: {0}")]
    Rule(Violation),
}

// === impl Error ===

impl Error {
    /// A message that is not of the kind that its frame says.
    pub(super) fn frame(at: u64, error: prost::DecodeError) -> Self {
        Self::Frame {
            at,
            source: error.into(),
        }
    }
}
