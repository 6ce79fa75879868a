//! The gate: everything the door may ask of the replicated path. Admits or refuses, and waits for the answer.

use crate::facts::Facts;
use crate::failure::Failure;
use crate::history;
use crate::node::{Allocate, Allocated, Collect, Collected, Release, Released};
use berth_domain::command::Proposal;
use berth_domain::id::MemberId;
use berth_domain::outcome::Answer;

/// The door's only way in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {}

impl Gate {
    /// ADD.
    pub async fn allocate(&self, request: Allocate) -> Result<Allocated, Failure> {
        unimplemented!("{request:?}")
    }
    /// DEL.
    pub async fn release(&self, request: Release) -> Result<Released, Failure> {
        unimplemented!("{request:?}")
    }
    /// GC.
    pub async fn collect(&self, request: Collect) -> Result<Collected, Failure> {
        unimplemented!("{request:?}")
    }
    /// An administrator's command, answered after its commit. For CreateClaim without addresses the gate chooses them.
    pub async fn propose(&self, proposal: Proposal) -> Result<Answer, Failure> {
        unimplemented!("{proposal:?}")
    }
    // read, read_stale: as in the brief, once `Ledger` and the raft `Status` are published.
    /// This replica's history store.
    pub fn history(&self) -> &history::Reader {
        unimplemented!()
    }
    /// The leader's memory of facts.
    pub fn facts(&self) -> &Facts {
        unimplemented!()
    }
    /// Hands leadership to a member, or to the one with the longest log; who leads then.
    pub async fn transfer_leadership(&self, to: Option<MemberId>) -> Result<MemberId, Failure> {
        unimplemented!("{to:?}")
    }
}
