//! One member of the world: its disk, its life, and what its driver would have in its hands.

use super::observed::Observed;
use super::served::Served;
use crate::log_store::{Batch, SnapshotMeta};
use crate::options::Options;
use crate::replica::Replica;
use crate::replica::output::Freeze;
use crate::simulated_disk::SimulatedDisk;
use crate::state_machine::StateMachine;
use crate::status::{Sender, StoreId};
use std::collections::{BTreeMap, VecDeque};

pub(crate) struct Node<M: StateMachine> {
    pub(crate) member: u64,
    pub(crate) store: StoreId,
    pub(crate) disk: SimulatedDisk,
    pub(crate) life: Option<Life<M>>,
    /// Counts its starts; a start's boot uuid is made of it.
    pub(crate) boots: u64,
    /// Why the replica refused to go on, if it did.
    pub(crate) stopped: Option<String>,
    pub(crate) options: Options,
}

/// A running process.
pub(crate) struct Life<M: StateMachine> {
    pub(crate) replica: Replica<Observed<M>>,
    pub(crate) next_tick: u64,
    /// Moments between ticks: clocks do not agree.
    pub(crate) tick_moments: u64,
    /// Batches handed over, and when the first is written.
    pub(crate) writes: VecDeque<(u64, Batch)>,
    pub(crate) write_due: u64,
    /// An image to be encoded, and when that is done.
    pub(crate) taking: Option<(u64, Freeze<Observed<M>>)>,
    pub(crate) fetching: Option<(u64, u64, SnapshotMeta)>,
    /// Reads by id: what was committed when they began.
    pub(crate) reads: BTreeMap<u64, u64>,
    /// Its inputs changed something since its last turn.
    pub(crate) is_dirty: bool,
    /// Stopped for a while, as by SIGSTOP, until this moment.
    pub(crate) frozen_until: u64,
    pub(crate) commit_seen: u64,
    /// Its embedder, if that is simulated.
    pub(crate) served: Option<Served<M>>,
    /// What its embedder said last.
    pub(crate) durable_elsewhere: u64,
    /// Its disk is slow until this moment.
    pub(crate) slow_until: u64,
}

// === impl Node ===

impl<M: StateMachine> Node<M> {
    pub(crate) fn new(member: u64, store: StoreId, options: Options) -> Self {
        Node {
            member,
            store,
            disk: SimulatedDisk::new(),
            life: None,
            boots: 0,
            stopped: None,
            options,
        }
    }

    pub(crate) fn sender(&self) -> Sender {
        Sender {
            member: self.member,
            store: self.store,
        }
    }

    pub(crate) fn next_options(&mut self, seed: u64) -> Options {
        self.boots += 1;
        let mut boot = [0; 16];
        boot[..8].copy_from_slice(&self.member.to_le_bytes());
        boot[8..].copy_from_slice(&self.boots.to_le_bytes());
        Options {
            member: self.member,
            boot,
            seed,
            ..self.options.clone()
        }
    }
}

// === impl Life ===

impl<M: StateMachine> Life<M> {
    pub(crate) fn new(
        replica: Replica<Observed<M>>,
        served: Option<Served<M>>,
        now: u64,
        tick_moments: u64,
    ) -> Self {
        Life {
            replica,
            next_tick: now + tick_moments,
            tick_moments,
            writes: VecDeque::new(),
            write_due: 0,
            taking: None,
            fetching: None,
            reads: BTreeMap::new(),
            is_dirty: true,
            frozen_until: 0,
            commit_seen: 0,
            served,
            durable_elsewhere: 0,
            slow_until: 0,
        }
    }
}
