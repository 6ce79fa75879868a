//! The rules that always hold, each a pure predicate with its id (design §11; the catalogue names A1 to H3).
//!
//! They look at the whole ledger and recount everything: for tests, the simulator and an administrator's check, not for
//! the path of a request. A rule that speaks of time or of two states takes what it compares as an argument.

mod accounting;
mod claims;
mod enis;
mod history;
mod holders;
mod pools;
mod ranges;
mod recovery;
#[cfg(test)]
mod tests;
mod traces;

pub use history::{chain_follows, replays, same_apply};
pub use recovery::nothing_given_out;
pub use traces::{cooled_down, released_its_own, released_once, steps_allowed};

use crate::ledger::Ledger;
use std::fmt;

/// A rule that does not hold: a defect of this program or a damaged state, never a caller's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule: "A1".
    pub id: &'static str,
    /// What is wrong, with names.
    pub what: String,
}

/// A rule about one state of the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Invariant {
    /// Its id in the catalogue.
    pub id: &'static str,
    /// What it promises, in one sentence.
    pub promise: &'static str,
    /// Whether it holds.
    pub check: fn(&Ledger) -> Result<(), Violation>,
}

/// Every rule about one state. Those about steps between states are [`nothing_given_out`] (A2), [`steps_allowed`] (A3), [`released_once`] (A6),
/// [`released_its_own`] (A7), [`cooled_down`] (A11), [`same_apply`] (A18), [`chain_follows`] (H1, H3), [`replays`] (H2).
pub const ALL: &[Invariant] = &[
    Invariant {
        id: "A1",
        promise: "no address has two live sandboxes",
        check: holders::one_holder,
    },
    Invariant {
        id: "A2",
        promise: "what lives by its node's word is given to nobody else, whatever the ledger thought",
        check: recovery::strays_are_kept,
    },
    Invariant {
        id: "A3",
        promise: "a claim's addresses are kept for it alone, and its holder is of its own identity",
        check: claims::kept_for_their_own,
    },
    Invariant {
        id: "A4",
        promise: "one sandbox's interface has one allocation, however often it was asked for",
        check: holders::one_allocation,
    },
    Invariant {
        id: "A8",
        promise: "no allocation lives that was invoked before its own DEL",
        check: holders::none_before_its_tombstone,
    },
    Invariant {
        id: "A9",
        promise: "the states of a vSwitch add up to its size, and the counters are what a recount gives",
        check: accounting::conserved,
    },
    Invariant {
        id: "E1",
        promise: "an address on an ENI of ours is of its node and vSwitch, and no node and no ENI has more than it can",
        check: enis::where_they_are,
    },
    Invariant {
        id: "E2",
        promise: "what is under way has its job, a job has only what is its own, and an ENI that is not in use has one",
        check: enis::jobs_have_their_own,
    },
    Invariant {
        id: "E3",
        promise: "a node in a pool has a vSwitch in its zone, and gives addresses of its ENIs alone",
        check: pools::on_enis_alone,
    },
    Invariant {
        id: "A13",
        promise: "every address that is not free has a holder, a node, a claim or a time at which it is freed",
        check: accounting::nothing_leaks,
    },
    Invariant {
        id: "A15",
        promise: "what is counted as free can be chosen: no address is free in the counter and taken in the rows",
        check: accounting::free_is_free,
    },
    Invariant {
        id: "A16",
        promise: "excluded addresses are never used, and an allocation has one address of each family of its vSwitch",
        check: ranges::in_range,
    },
    Invariant {
        id: "A17",
        promise: "no two vSwitches overlap",
        check: ranges::disjoint,
    },
];

/// Everything that does not hold, one violation per rule at most. Empty = all is well.
pub fn check_all(ledger: &Ledger) -> Vec<Violation> {
    let broken = |rule: &Invariant| (rule.check)(ledger).err();
    ALL.iter().filter_map(broken).collect()
}

fn violation<T>(id: &'static str, what: impl Into<String>) -> Result<T, Violation> {
    Err(Violation {
        id,
        what: what.into(),
    })
}

// === impl Violation ===

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not hold: {}", self.id, self.what)
    }
}

impl std::error::Error for Violation {}
