//! What is replicated, seen from the consensus: bytes in, effects out.

use std::error::Error as StdError;

/// The machine cannot go on: an entry it does not know, a snapshot that does not hash. The process stops.
#[derive(Debug, thiserror::Error)]
#[error("the state machine stopped at index {index}")]
pub struct Error {
    /// The raft index of the entry.
    pub index: u64,
    /// Why.
    #[source]
    pub source: Box<dyn StdError + Send + Sync>,
}

/// A deterministic machine: the same entries give the same effects and the same state on every replica.
pub trait StateMachine: Send + 'static {
    /// What applying one entry produced: answers for whoever proposed it, events for whoever watches.
    type Effect: Send + 'static;
    /// A frozen copy of the state; making one must not take more than 5 ms.
    type Image: Send + 'static;

    /// Applies one committed entry. Infallible for every entry this version knows.
    fn apply(&mut self, index: u64, data: &[u8]) -> Result<Self::Effect, Error>;

    /// Freezes the state for a snapshot; encoding happens elsewhere, later.
    fn freeze(&self) -> Self::Image;

    /// Encodes a frozen state in chunks of at most [`CHUNK_BYTES_MAX`] bytes.
    fn encode(image: Self::Image) -> Box<dyn Iterator<Item = Vec<u8>> + Send>;

    /// Replaces the state by a snapshot's chunks, in order. `index` is the snapshot's.
    fn restore(
        &mut self,
        index: u64,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), Error>;

    /// A digest of the whole state, for comparing replicas.
    fn digest(&self) -> [u8; 32];
}

/// sled moves values above a quarter of its segment into files that it never syncs; keep far below.
pub const CHUNK_BYTES_MAX: usize = 60 * 1024;
