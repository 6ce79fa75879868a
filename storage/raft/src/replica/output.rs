//! Everything a replica wants done. The driver does it in this order.

use crate::log_store::{Batch, Membership, SnapshotMeta};
use crate::state_machine::StateMachine;
use crate::status::Role;
use bytes::Bytes;

/// One thing to do.
pub enum Output<M: StateMachine> {
    /// Send at once; what the messages vouch for is durable.
    Send {
        /// Whom to.
        to: u64,
        /// All of one turn, in order.
        messages: Vec<Bytes>,
    },
    /// Write this; then say `Input::Persisted` with its number. In order; several may be joined into one write.
    Persist {
        /// Its number, rising.
        number: u64,
        /// What to write.
        batch: Batch,
    },
    /// An entry was applied.
    Applied {
        /// Its raft index.
        index: u64,
        /// Its term.
        term: u64,
        /// What it did.
        effect: M::Effect,
    },
    /// The read may look at the machine now.
    ReadReady {
        /// The read's id.
        id: u64,
        /// The state contains everything up to this index at least.
        index: u64,
    },
    /// The read cannot be answered here now.
    ReadRefused {
        /// The read's id.
        id: u64,
        /// Why.
        reason: ReadRefused,
    },
    /// The role changed.
    Role(Role),
    /// A proposal that will never be in the log, because of this replica.
    Dropped {
        /// The proposal.
        data: Bytes,
        /// Why.
        reason: DropReason,
    },
    /// Encode this image, stage its chunks, then say `SnapshotTaken`.
    TakeSnapshot(Freeze<M>),
    /// Fetch this snapshot from that member, stage it, then say `SnapshotArrived` or `SnapshotFailed`.
    FetchSnapshot {
        /// Who has it.
        from: u64,
        /// Which.
        meta: SnapshotMeta,
    },
    /// The machine was replaced by the leader's snapshot.
    SnapshotInstalled {
        /// It covers everything up to here.
        index: u64,
    },
    /// Who takes part changed; `id` if this replica's own request did it.
    MembershipChanged {
        /// The request.
        id: Option<u64>,
        /// The entry.
        index: u64,
        /// As of that entry.
        membership: Membership,
    },
    /// The change was not made, or nobody knows.
    ChangeRefused {
        /// The request.
        id: u64,
        /// Why.
        reason: ChangeRefused,
    },
    /// The hand-over ended: who leads now, or why not.
    Transferred {
        /// The request.
        id: u64,
        /// The new leader.
        result: Result<u64, TransferRefused>,
    },
    /// This member is no longer one: stop ticking, stop sending, stop.
    Removed,
}

/// A frozen state and what it covers.
pub struct Freeze<M: StateMachine> {
    /// The state.
    pub image: M::Image,
    /// Everything up to and with this index.
    pub index: u64,
    /// That entry's term.
    pub term: u64,
    /// Who took part then.
    pub membership: Membership,
}

/// Why a linearizable read was refused. Ask the leader, or again in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadRefused {
    /// Only the leader reads.
    #[error("this member does not lead")]
    NotLeader,
    /// It leads, but has not yet applied an entry of its own term.
    #[error("the leader is not ready yet")]
    NotReady,
    /// The leadership was lost meanwhile.
    #[error("the leadership was lost")]
    LeadershipLost,
    /// Too many reads wait already.
    #[error("too many reads are waiting")]
    Busy,
    /// The replica stops.
    #[error("the replica is stopping")]
    Stopping,
}

/// Why a proposal was dropped. It is certain that it has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DropReason {
    /// Only the leader proposes.
    #[error("this member does not lead")]
    NotLeader,
    /// It leads but may not serve yet.
    #[error("the leader is not ready yet")]
    NotReady,
    /// The leadership is being handed over.
    #[error("the leadership is being handed over")]
    TransferUnderWay,
    /// Too much is uncommitted.
    #[error("too much is waiting to be committed")]
    Busy,
    /// Larger than an entry may be.
    #[error(
        "a proposal may have at most {} bytes",
        crate::options::ENTRY_BYTES_MAX
    )]
    TooLarge,
    /// The replica stops.
    #[error("the replica is stopping")]
    Stopping,
}

/// Why a membership change was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// Only the leader changes the membership.
    #[error("this member does not lead")]
    NotLeader,
    /// It leads but may not serve yet.
    #[error("the leader is not ready yet")]
    NotReady,
    /// One change at a time.
    #[error("another membership change is under way; wait for it")]
    Pending,
    /// Ids are used once.
    #[error("member {0} takes part already")]
    AlreadyMember(u64),
    /// There is nobody to change.
    #[error("member {0} does not take part")]
    NotMember(u64),
    /// Only learners are promoted.
    #[error("member {0} votes already")]
    AlreadyVoter(u64),
    /// It must have caught up first.
    #[error(
        "member {member} lacks {lag_entries} entries or was not heard of lately; wait until it has caught up"
    )]
    NotCaughtUp {
        /// The learner.
        member: u64,
        /// How many it lacks.
        lag_entries: u64,
    },
    /// The leader hands over first; ask the new leader again.
    #[error("the leader cannot remove itself; it is handing over, ask the new leader")]
    HandingOver,
    /// The last voter stays.
    #[error("the last voter cannot be removed")]
    LastVoter,
    /// Too few live voters would be left.
    #[error(
        "only {alive} of the {needed} voters needed for a quorum were heard of lately; force it if that is meant"
    )]
    QuorumAtRisk {
        /// Voters heard of.
        alive: usize,
        /// Voters needed.
        needed: usize,
    },
    /// The leadership was lost meanwhile; the change may still be made.
    #[error("the leadership was lost; look at the membership before asking again")]
    Unknown,
    /// The replica stops.
    #[error("the replica is stopping")]
    Stopping,
}

/// Why the leadership was not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferRefused {
    /// Only the leader hands over.
    #[error("this member does not lead")]
    NotLeader,
    /// A hand-over is under way.
    #[error("a hand-over is under way already")]
    Pending,
    /// Nobody can take it.
    #[error("no other voter was heard of lately")]
    NoTarget,
    /// The one named cannot take it.
    #[error("member {0} is not a voter, or is this member")]
    NotVoter(u64),
    /// The target did not take it within an election timeout.
    #[error("member {0} did not take over in time")]
    TimedOut(u64),
    /// The replica stops.
    #[error("the replica is stopping")]
    Stopping,
}

// === impl Output ===

impl<M: StateMachine> Output<M> {
    /// Another member or the disk should have it before anything is applied.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self, Output::Send { .. } | Output::Persist { .. })
    }
}
