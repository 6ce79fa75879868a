//! Who waits for which answer.

use super::handle::{ChangeDone, Query, TransferDone};
use crate::replica::output::{ChangeRefused, ReadRefused, TransferRefused};
use crate::state_machine::StateMachine;
use std::collections::BTreeMap;

/// Closures by the id the replica knows them by.
pub(crate) struct Desk<M: StateMachine> {
    last_id: u64,
    pub(crate) reads: BTreeMap<u64, Query<M>>,
    pub(crate) changes: BTreeMap<u64, ChangeDone>,
    pub(crate) transfers: BTreeMap<u64, TransferDone>,
}

// === impl Desk ===

impl<M: StateMachine> Default for Desk<M> {
    fn default() -> Self {
        Desk {
            last_id: 0,
            reads: BTreeMap::new(),
            changes: BTreeMap::new(),
            transfers: BTreeMap::new(),
        }
    }
}

impl<M: StateMachine> Desk<M> {
    /// A number not used before in this process start.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Answers everybody who still waits: the replica stops.
    pub(crate) fn close(&mut self) {
        for query in std::mem::take(&mut self.reads).into_values() {
            query(Err(ReadRefused::Stopping));
        }
        for done in std::mem::take(&mut self.changes).into_values() {
            done(Err(ChangeRefused::Stopping));
        }
        for done in std::mem::take(&mut self.transfers).into_values() {
            done(Err(TransferRefused::Stopping));
        }
    }
}
