//! What the driver's other threads tell the raft thread.

use crate::log_store;
use crate::log_store::SnapshotMeta;
use bytes::Bytes;

/// A report from the log thread or from a snapshot's thread.
pub(crate) enum Inside {
    /// This batch and all before it are durable; so long did the write take.
    Persisted {
        number: u64,
        sync_micros: Option<u64>,
    },
    /// The disk failed.
    StoreFailed(log_store::Error),
    /// An image is encoded and staged; so long did that take.
    SnapshotTaken { meta: SnapshotMeta, micros: u64 },
    /// A snapshot is here, staged and checked.
    SnapshotArrived {
        meta: SnapshotMeta,
        chunks: Vec<Bytes>,
    },
    /// It could not be had.
    SnapshotFailed { index: u64 },
}
