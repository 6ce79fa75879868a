//! What the cluster is used for in a run: the caller's machine, its proposals and its own invariants.

use super::random::Random;
use super::served::Life;
use crate::state_machine::StateMachine;
use bytes::Bytes;

/// A machine under load. Called by the world, in a deterministic order.
pub trait Workload {
    /// The replicated machine.
    type Machine: StateMachine;

    /// A machine in its initial state.
    fn machine(&self) -> Self::Machine;

    /// A process of a member starts: its machine, and its embedder if that is simulated too. `boot` is its uuid.
    fn begin_life(&mut self, _start: &Begin) -> Life<Self::Machine> {
        Life {
            machine: self.machine(),
            served: None,
        }
    }

    /// A member's process has ended, with everything it had in memory.
    fn end_life(&mut self, _member: u64) {}

    /// A moment goes by, after the replicas' messages have arrived and before the replicas' turns. What is returned goes
    /// into the trace.
    fn moment(&mut self, _moment: &Moment<'_>) -> Result<u64, Violation> {
        Ok(0)
    }

    /// A replica is about to apply these entries, of which every replica has the same.
    fn entry(&mut self, _member: u64, _index: u64, _data: &Bytes) {}

    /// Whether an image that covers this index may be encoded: what the machine's encoding would wait for is there.
    fn may_encode(&mut self, _member: u64, _index: u64) -> bool {
        true
    }

    /// A leader's snapshot up to here has come, and will be installed: its member never applies what it covers.
    fn fetched(&mut self, _member: u64, _index: u64) {}

    /// A member's disk is lost, with all that its embedder kept there.
    fn disk_lost(&mut self, _member: u64) {}

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
        effect: &<Self::Machine as StateMachine>::Effect,
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

/// Which process begins.
#[derive(Clone, Debug)]
pub struct Begin {
    /// Whose.
    pub member: u64,
    /// Unique for this start.
    pub boot: [u8; 16],
    /// The end of its newest snapshot; 0 = its disk is empty.
    pub snapshot: u64,
}

/// What can be seen of the members in a moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Moments since the beginning.
    pub now: u64,
    /// Members whose process runs, and whether it stands still.
    pub running: &'a [(u64, bool)],
    /// All is healed.
    pub is_calm: bool,
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
