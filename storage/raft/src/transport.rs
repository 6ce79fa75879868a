//! How a replica's messages leave it. The driver calls it on the raft thread; it must never block.

use bytes::Bytes;

/// Sends encoded messages to other replicas, or drops them.
pub trait Transport: Send + 'static {
    /// Queues messages for a replica: all of one Ready, in order. Dropping them is allowed; raft repeats.
    fn send(&mut self, to: u64, messages: Vec<Bytes>);
}
