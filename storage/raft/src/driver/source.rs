//! Where a snapshot's chunks come from: the embedder fetches them from the member that offered them.

use crate::log_store::SnapshotMeta;
use bytes::Bytes;
use std::error::Error as StdError;

/// Fetches snapshots from other members. Called on a thread of its own; it may block.
pub trait SnapshotSource: Send + 'static {
    /// Fetches the chunks from number `first` on of the snapshot that ends at `meta.index` from member `from`, handing each
    /// on in order; `first` is above 0 if an earlier fetch of the same snapshot, perhaps from another member, was cut off.
    /// Stops at the first error, its own or `chunk`'s. A source that hangs for ever keeps this member behind
    /// for ever, so every wait in here needs a deadline.
    fn fetch(
        &mut self,
        from: u64,
        meta: &SnapshotMeta,
        first: u32,
        chunk: &mut dyn FnMut(Bytes) -> Result<(), FetchError>,
    ) -> Result<(), FetchError>;
}

/// A fetch that failed; raft offers the snapshot again.
#[derive(Debug, thiserror::Error)]
#[error("fetching a snapshot failed")]
pub struct FetchError(#[source] pub Box<dyn StdError + Send + Sync>);
