//! Why nothing was done. What was there before is as it was.

use crate::backup;
use berth_domain::id::Revision;
use berth_domain::outcome::Refusal;
use berth_raft::{log_store, start, state_machine};
use std::io;
use std::path::PathBuf;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The backup.
    #[error(transparent)]
    Backup(#[from] backup::Error),
    /// The directory to be made, or the one to be read.
    #[error(transparent)]
    Store(#[from] berth_store::Error),
    /// The new log.
    #[error("the new log cannot be begun")]
    Log(#[from] start::Error),
    /// The old log.
    #[error("the member's log cannot be read")]
    Read(#[from] log_store::Error),
    /// An entry or a snapshot of the old log.
    #[error("the member's log cannot be applied by this version")]
    Apply(#[from] state_machine::Error),
    /// The old log and the old history are not of one ledger.
    #[error(
        "the member's log and its history do not agree at revision {revision}: this directory is damaged; take another member's"
    )]
    Contradiction {
        /// Where.
        revision: Revision,
    },
    /// The old history lacks something that no other part of the directory has.
    #[error(
        "the member's history lacks revisions {first} to {last}, which it was still fetching; take another member's directory, or accept the loss of what happened then (not of who holds what) with --without-history"
    )]
    Gap {
        /// The first missing revision.
        first: u64,
        /// The last.
        last: u64,
    },
    /// The old directory has no state at all.
    #[error("the data directory {} holds a replica that never got any state: take another member's", path.display())]
    Nothing {
        /// Which.
        path: PathBuf,
    },
    /// The ledger refuses to go on so.
    #[error("the ledger refuses")]
    Refused(#[source] Refusal),
    /// The place is not empty.
    #[error("the directory {} is not empty ({found} is in it): nothing is ever restored over what is there; name an empty or a new one", path.display())]
    NotEmpty {
        /// Which.
        path: PathBuf,
        /// Something in it.
        found: String,
    },
    /// The place cannot be looked at.
    #[error("the directory {} cannot be read", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The typed confirmation is not the cluster's id.
    #[error(
        "--confirm is {said:?}, and the cluster that would be given up is {cluster:?}: see `berthd recover plan`, and type that"
    )]
    Unconfirmed {
        /// What was said.
        said: String,
        /// What should be.
        cluster: String,
    },
    /// A file changed between two looks.
    #[error("the backup changed while it was read: revision {before} first, then {after}")]
    Changed {
        /// At the first look.
        before: Revision,
        /// At the second.
        after: Revision,
    },
    /// An option.
    #[error("option {option}: {reason}")]
    Option {
        /// Which.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}
