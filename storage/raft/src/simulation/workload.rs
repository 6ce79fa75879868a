//! What the cluster is used for in a run: the caller's machine, its proposals and its own invariants.

use super::random::Random;
use crate::state_machine::StateMachine;
use bytes::Bytes;

/// A machine under load. Called by the world, in a deterministic order.
pub trait Workload {
    /// The replicated machine.
    type Machine: StateMachine;

    /// A machine in its initial state.
    fn machine(&self) -> Self::Machine;

    /// Something to propose on the leader `member`, whose (perhaps stale) machine this is.
    fn propose(
        &mut self,
        random: &mut Random,
        member: u64,
        machine: &Self::Machine,
    ) -> Option<Bytes>;

    /// A replica applied an entry; a replica that starts again applies entries again.
    fn applied(
        &mut self,
        applied: &Applied,
        effect: <Self::Machine as StateMachine>::Effect,
    ) -> Result<(), Violation>;

    /// A replica's whole state, after every turn that applied something. The workload's own invariants.
    fn check(&mut self, member: u64, machine: &Self::Machine) -> Result<(), Violation>;
}

/// Where and when an entry was applied.
#[derive(Clone, Copy, Debug)]
pub struct Applied {
    /// On which replica.
    pub member: u64,
    /// Whether it leads, so that it is the one that answers.
    pub leads: bool,
    /// The entry.
    pub index: u64,
    /// Its term.
    pub term: u64,
}

/// A rule that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule} is broken: {text}")]
pub struct Violation {
    /// The rule's id in the catalogue.
    pub rule: &'static str,
    /// What was seen.
    pub text: String,
}

// === impl Violation ===

impl Violation {
    /// A broken rule.
    pub fn new(rule: &'static str, text: impl Into<String>) -> Self {
        Violation {
            rule,
            text: text.into(),
        }
    }
}
