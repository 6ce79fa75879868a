//! What the embedder hears, one Vec per turn of the raft thread.

use crate::log_store::Membership;
use crate::replica::Fatal;
use crate::replica::output::DropReason;
use crate::state_machine::StateMachine;
use crate::status::Role;
use bytes::Bytes;

/// Takes all events of one turn, on the raft thread; it must never block.
pub type Sink<M> = Box<dyn FnMut(Vec<Event<M>>) + Send>;

/// One thing that happened.
pub enum Event<M: StateMachine> {
    /// An entry was applied. After a restart everything behind the newest snapshot comes again, in order.
    Applied {
        /// Its raft index; rising, but not gap-free: raft's own entries have no effect.
        index: u64,
        /// Its term.
        term: u64,
        /// What the machine said.
        effect: M::Effect,
    },
    /// Who leads changed, or whether this leader may serve. Losing the leadership makes proposals under way unknown.
    Role(Role),
    /// This proposal is certain to have no effect.
    Dropped {
        /// The proposal.
        data: Bytes,
        /// Why.
        reason: DropReason,
    },
    /// Who takes part changed.
    MembershipChanged {
        /// By which entry.
        index: u64,
        /// As of that entry.
        membership: Membership,
    },
    /// The machine was replaced by the leader's snapshot: entries up to here were never applied one by one.
    SnapshotInstalled {
        /// It covers everything up to here.
        index: u64,
    },
    /// The raft thread has ended; nothing comes after this.
    Stopped(Stopped),
}

/// Why the raft thread ended.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// It was asked to.
    #[error("the replica was shut down")]
    Shutdown,
    /// It is no longer a member. Its data directory is worth nothing any more.
    #[error("this member was removed from the cluster; a new one joins under a new id")]
    Removed,
    /// It cannot go on; the process must stop.
    #[error("the replica cannot go on")]
    Fatal(#[source] Fatal),
}
