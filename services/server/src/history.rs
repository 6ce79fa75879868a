//! Event groups, written behind the answering path and read by subject.
//!
//! The raft thread hands applied groups over in order ([`Feeder`]); one thread encodes and stores them; anyone reads them
//! through a [`Reader`], complete up to the revision asked for. Knows nothing of who asks and what for.

mod feeder;
mod posting;
mod progress;
mod reader;
mod walk;
mod who_has;
mod writer;

#[cfg(test)]
mod tests;

pub use feeder::{Feeder, Message};
pub use progress::{BEHIND_MAX, Place, Progress};
pub use reader::{Page, Query, Reader, Subject};
pub use walk::Walk;
pub use who_has::WhoHas;
pub(crate) use writer::record;
pub use writer::{Fetched, Reports, Source, Writer};

use crate::codec;

/// The history cannot go on; the process stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk, or what is on it.
    #[error("the history store failed")]
    Store(#[from] berth_store::Error),
    /// A stored group that this version cannot read.
    #[error("event group {revision} cannot be read")]
    Group {
        /// Which.
        revision: u64,
        /// Why.
        #[source]
        source: codec::Error,
    },
}
