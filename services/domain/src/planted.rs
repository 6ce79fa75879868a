//! Deliberate defects of the ledger, to prove that the simulation finds such ones. Without the feature `planted` there are
//! none, and nothing here costs anything; a shipped program never has it.

/// One known way to build the ledger wrong (reliability catalogue, section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// d01: a DEL ends whichever sandbox of the pod there is, by the name in front of the container's id.
    DeleteByName,
    /// A release with another generation than the one that is bound goes through, however late it comes.
    GenerationIgnored,
    /// What is given back is free at once.
    CoolingIgnored,
    /// A snapshot leaves the requests' answers out.
    SnapshotWithoutRequests,
    /// A DEL is not remembered: an ADD that comes after it binds.
    TombstonesIgnored,
    /// A static address is given back with its sandbox, whatever its policy.
    StaticReleasedOnDelete,
    /// After a recovery addresses are given out before the nodes have said what lives there.
    GrantsAfterRestore,
    /// What is due expires in an order that each replica has of its own.
    ExpiryUnordered,
    /// An address on a new ENI is given out when the cloud has taken the attach, not when it is attached.
    GrantedBeforeAttached,
    /// What a cloud call may still bring is given out meanwhile.
    DoubtIgnored,
}

#[cfg(feature = "planted")]
mod set {
    use super::Planted;
    use std::cell::Cell;
    use std::sync::OnceLock;

    thread_local! {
        static SET: Cell<Option<Planted>> = const { Cell::new(None) };
    }

    /// From now on this thread's ledgers have this defect, or none.
    pub fn plant(planted: Option<Planted>) {
        SET.set(planted);
    }

    static EVERYWHERE: OnceLock<Planted> = OnceLock::new();

    /// All ledgers of this process have this defect, for good. The first call holds.
    pub fn plant_everywhere(planted: Planted) {
        EVERYWHERE.get_or_init(|| planted);
    }

    pub(crate) fn has(planted: Planted) -> bool {
        SET.get() == Some(planted) || EVERYWHERE.get() == Some(&planted)
    }
}

#[cfg(feature = "planted")]
pub(crate) use set::has;
#[cfg(feature = "planted")]
pub use set::{plant, plant_everywhere};

#[cfg(not(feature = "planted"))]
pub(crate) const fn has(_: Planted) -> bool {
    false
}
