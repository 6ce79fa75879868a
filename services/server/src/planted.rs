//! Deliberate defects of the server, and safeguards taken out, to prove that the simulation and the fault tests find such ones.
//! Without the feature `planted` there are none, and nothing here costs anything; a shipped program never has it.
//!
//! The simulation plants one in the thread that runs a seed. `berthd-planted` has those that `BERTH_PLANTED` names.

#[cfg(all(feature = "planted", not(debug_assertions)))]
compile_error!("the feature `planted` takes safeguards out: it must never be in a release build");

/// One known way to build the server wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// What is under way when the leadership is lost is said not to have happened.
    UnknownIsFailure,
    /// A snapshot does not wait for the history that it covers, so the log is compacted past it.
    SnapshotBeforeHistory,
    /// A read that is to be linearizable is answered from whatever state the replica has.
    StaleRead,
    /// An address stays promised although the journal would not take its bind.
    PromiseKept,
    /// An ADD of an earlier boot takes effect after a newer boot has spoken.
    OldBootsHeard,
    /// A follower acknowledges before its disk has it.
    AcknowledgeEarly,
    /// A leader answers reads without asking a quorum.
    ReadAlone,
    /// The same, and also when it has been stopped for a while.
    ReadAloneAfterPause,
    /// A leader counts what it has itself as committed.
    CommitAlone,
    /// Any store may speak for any member.
    TrustAnyStore,
    /// A member that lacks what it acknowledged goes on.
    IgnoreRollback,
    /// The log's writes are not synced.
    NoBarrier,
    /// A failed sync is not heeded.
    IgnoreSyncErrors,
    /// Nobody looks how full the disk is, and nothing is kept free on it.
    NoWatermark,
    /// Ledger time follows the wall clock.
    WallClock,
    /// An ADD that is repeated binds once more.
    ForgetRepeats,
    /// A leader keeps the lead however slow its disk is.
    BearSlowDisk,
    /// After a recovery the ledger gives out before the nodes have said what lives there.
    GrantsAfterRestore,
    /// A node does not hear of addresses that rest on its ENIs.
    RestsUnheard,
}

#[cfg(feature = "planted")]
mod named;
#[cfg(feature = "planted")]
mod set;

#[cfg(feature = "planted")]
pub use named::named;
#[cfg(feature = "planted")]
pub(crate) use named::{database, mutant, wall_jump_ms};
#[cfg(feature = "planted")]
pub use set::plant;

/// Whether this thread's servers, or this process, have this defect.
#[cfg(feature = "planted")]
pub fn has(planted: Planted) -> bool {
    set::has(planted) || named().contains(&planted)
}

#[cfg(not(feature = "planted"))]
pub(crate) const fn has(_: Planted) -> bool {
    false
}

#[cfg(not(feature = "planted"))]
pub(crate) fn database() -> berth_store::DatabaseOptions {
    berth_store::DatabaseOptions::default()
}

#[cfg(not(feature = "planted"))]
pub(crate) const fn wall_jump_ms(_: u64, _: u64) -> u64 {
    0
}
