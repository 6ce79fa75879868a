//! What one replica keeps on its disk: log, hard state, membership, snapshots.
//!
//! Three implementations: sled (`berth-store`), the simulated disk and memory (here, for tests and the simulator).

use bytes::Bytes;
use std::error::Error as StdError;

/// The disk failed, is full, or holds what it should not. Never retried: the process stops.
#[derive(Debug, thiserror::Error)]
#[error("{doing} failed")]
pub struct Error {
    /// What was being done: "append to the log".
    pub doing: &'static str,
    /// Why.
    #[source]
    pub source: Box<dyn StdError + Send + Sync>,
}

/// Raft's own promises (raft paper, figure 2: persistent state).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardState {
    /// Current term.
    pub term: u64,
    /// Voted for in this term; 0 = nobody.
    pub vote: u64,
    /// Known committed; never above the last index on the same disk.
    pub commit: u64,
}

/// Who takes part, as of an index (raft-rs ConfState).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// Vote and count.
    pub voters: Vec<u64>,
    /// Receive only.
    pub learners: Vec<u64>,
    /// Joint consensus: the outgoing configuration.
    pub voters_outgoing: Vec<u64>,
    /// Learners once the joint configuration is left.
    pub learners_next: Vec<u64>,
    /// Leaves the joint configuration by itself.
    pub auto_leave: bool,
}

/// One log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its index, gap-free.
    pub index: u64,
    /// The term that made it.
    pub term: u64,
    /// Which kind, as raft-rs numbers it: 0 normal, 1 and 2 membership changes.
    pub kind: u8,
    /// Its bytes.
    pub data: Bytes,
    /// raft-rs's own context of membership changes.
    pub context: Bytes,
}

/// What a stored snapshot covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotMeta {
    /// Everything up to and with this index.
    pub index: u64,
    /// That entry's term.
    pub term: u64,
    /// Who took part at that index.
    pub membership: Membership,
    /// How many chunks.
    pub chunks: u32,
    /// CRC-32C over all chunk bytes in order.
    pub crc: u32,
}

/// Everything a replica needs to start again.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Zero if never written.
    pub hard_state: HardState,
    /// As of `snapshot` or of the newest applied membership change, whichever is later.
    pub membership: Membership,
    /// The newest complete snapshot.
    pub snapshot: Option<SnapshotMeta>,
    /// The log's floor: entries up to here were compacted. Zero/zero if nothing was.
    pub truncated_index: u64,
    /// That entry's term.
    pub truncated_term: u64,
    /// `truncated_index + 1 ..`, gap-free.
    pub entries: Vec<Entry>,
}

// === impl Loaded ===

impl Loaded {
    /// True for a store that never was part of a cluster. A vote alone does not count: whoever has one has a snapshot.
    pub fn is_empty(&self) -> bool {
        self.snapshot.is_none() && self.entries.is_empty() && self.truncated_index == 0
    }
}

/// One atomic batch: all of it is on the disk after `write`, or, after a crash, none of it.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Entries to put; a conflicting suffix from `entries[0].index` on is removed first.
    pub entries: Vec<Entry>,
    /// Raft's promises, if they changed.
    pub hard_state: Option<HardState>,
    /// The membership, if an applied change made a new one.
    pub membership: Option<Membership>,
    /// Makes this staged snapshot the newest: pointer, membership and hard state move together,
    /// and with `reset_log` the whole log is replaced by the snapshot's end.
    pub snapshot: Option<InstallSnapshot>,
    /// Removes entries up to and with this index (index, term); bounded work per batch.
    pub compact_to: Option<(u64, u64)>,
    /// Whether the caller needs it durable on return. False only for a moved commit index.
    pub must_sync: bool,
}

/// See [`Batch::snapshot`].
#[derive(Clone, Debug)]
pub struct InstallSnapshot {
    /// The staged one.
    pub meta: SnapshotMeta,
    /// True when it came from the leader: the log up to its index is void.
    pub reset_log: bool,
}

/// A replica's disk.
pub trait LogStore: Send + 'static {
    /// Reads everything, checking every checksum and the log's continuity.
    fn load(&mut self) -> Result<Loaded, Error>;

    /// Writes one batch; durable on return if `must_sync`. The same thread calls it, in order.
    fn write(&mut self, batch: &Batch) -> Result<(), Error>;

    /// Stages chunk `number` of the snapshot that ends at `index`; durable only by the `write` that installs it. It stays
    /// until a snapshot at or above `index` is installed, or the store is closed: a fetch that was cut off goes on.
    fn stage_chunk(&mut self, index: u64, number: u32, chunk: &[u8]) -> Result<(), Error>;

    /// One chunk of the installed snapshot that ends at `index`; an error if it is not there any more.
    fn read_chunk(&self, index: u64, number: u32) -> Result<Bytes, Error>;
}
