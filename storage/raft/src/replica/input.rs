//! Everything that can happen to a replica.

use crate::log_store::SnapshotMeta;
use crate::status::{Sender, StoreId};
use bytes::Bytes;
use std::collections::BTreeMap;

/// One thing that happened.
#[derive(Debug)]
pub enum Input {
    /// One tick of time went by.
    Tick,
    /// The driver was away longer than an election timeout: a leader must prove itself before it serves again.
    Paused,
    /// A peer's messages, in the order they were sent.
    Messages {
        /// Who sent them, as the connection knows.
        from: Sender,
        /// Encoded by raft-rs.
        messages: Vec<Bytes>,
    },
    /// Append this to the log. Accepted is not answered; refused is, by `Output::Dropped`.
    Propose(Bytes),
    /// A linearizable read: answered by `ReadReady` or `ReadRefused` with the same id.
    Read(u64),
    /// This batch, and all before it, is durable.
    Persisted(u64),
    /// Hand the leadership over: to this member, or to the best one.
    Transfer {
        /// Comes back in the answer.
        id: u64,
        /// Whom to; none = the most advanced live voter.
        to: Option<u64>,
    },
    /// Change who takes part.
    Change {
        /// Comes back in the answer.
        id: u64,
        /// What to change.
        change: Change,
    },
    /// Which store each member is registered with. Messages of a registered member from another store are dropped.
    KnownStores(BTreeMap<u64, StoreId>),
    /// Everything up to this index is durable outside the log too; the log may be compacted up to there.
    DurableElsewhere(u64),
    /// The last message to this member was not delivered.
    Unreachable(u64),
    /// The image asked for is encoded and staged.
    SnapshotTaken(SnapshotMeta),
    /// The snapshot asked for is here, staged and its checksum right.
    SnapshotArrived {
        /// What it covers.
        meta: SnapshotMeta,
        /// All of it, in order.
        chunks: Vec<Bytes>,
    },
    /// The snapshot asked for could not be had; raft will offer another.
    SnapshotFailed {
        /// Which.
        index: u64,
    },
    /// A member is reading the newest snapshot's chunks: its transfer is alive.
    SnapshotServing {
        /// Which member.
        to: u64,
    },
}

/// One change of who takes part. One at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new member that only receives; every member starts so.
    AddLearner {
        /// A fresh id.
        member: u64,
    },
    /// A caught-up learner gets its vote; a member it replaces leaves in the same step.
    Promote {
        /// The learner.
        member: u64,
        /// Who leaves.
        replaces: Option<u64>,
    },
    /// A member leaves for good; its id is never used again.
    Remove {
        /// Who leaves.
        member: u64,
        /// Even if the rest then depends on members that have not been heard of lately.
        forced: bool,
    },
}
