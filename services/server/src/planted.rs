//! Deliberate defects of the server, to prove that the simulation finds such ones. Without the feature `planted` there are
//! none, and nothing here costs anything; a shipped program never has it.

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
}

#[cfg(feature = "planted")]
mod set {
    use super::Planted;
    use std::cell::Cell;

    thread_local! {
        static SET: Cell<Option<Planted>> = const { Cell::new(None) };
    }

    /// From now on this thread's servers have this defect, or none.
    pub fn plant(planted: Option<Planted>) {
        SET.set(planted);
    }

    /// Whether this thread's servers have this defect.
    pub fn has(planted: Planted) -> bool {
        SET.get() == Some(planted)
    }
}

#[cfg(feature = "planted")]
pub use set::{has, plant};

#[cfg(not(feature = "planted"))]
pub(crate) const fn has(_: Planted) -> bool {
    false
}
