//! Batches on their way to the disk, and the messages that must wait for them (R7).

use super::output::Output;
use super::snapshot::Arrived;
use super::{Fatal, Replica, convert};
use crate::log_store::{Batch, HardState, SnapshotMeta};
use crate::options::broken;
use crate::state_machine::StateMachine;
use raft::eraftpb::Message;
use std::collections::VecDeque;

/// What was handed to the disk and is not durable yet, oldest first.
pub(crate) struct Writes {
    in_flight: VecDeque<InFlight>,
    last_number: u64,
    /// The commit index moved and nothing else: written with the next batch, or when a tick finds it still here.
    has_lazy_commit: bool,
    /// As of the newest Ready. raft's own is ahead of it between two Readies: its commit index may already mean entries
    /// that were not handed to the disk, and stand for others there.
    hard_state: HardState,
    pub(crate) persisted_index: u64,
    persisted_term: u64,
}

/// What a Ready wants done by the disk.
pub(crate) struct Work {
    pub(crate) ready: u64,
    pub(crate) batch: Batch,
    /// The leader's snapshot in the batch.
    pub(crate) installs: Option<Arrived>,
    /// Leave once it is durable.
    pub(crate) vouching: Vec<Message>,
}

struct InFlight {
    number: u64,
    /// raft's number of the newest Ready in it; 0 if none.
    ready: u64,
    /// The term it makes durable.
    term: u64,
    /// The last index it makes durable; 0 if it has no entries.
    last_index: u64,
    /// Leave once it is durable.
    vouching: Vec<Message>,
    /// The leader's snapshot it installs.
    installs: Option<Arrived>,
    /// This replica's own snapshot it installs.
    takes: Option<SnapshotMeta>,
}

// === impl Writes ===

impl Writes {
    pub(crate) fn new(hard_state: HardState, persisted_index: u64) -> Self {
        Writes {
            in_flight: VecDeque::new(),
            last_number: 0,
            has_lazy_commit: false,
            persisted_term: hard_state.term,
            hard_state,
            persisted_index,
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// This replica's own snapshot is on its way to the disk: it is the newest one and does not count as such yet.
    pub(crate) fn is_taking(&self) -> bool {
        self.in_flight.iter().any(|batch| batch.takes.is_some())
    }

    /// A leader's snapshot is on its way to the disk.
    pub(crate) fn is_installing(&self) -> bool {
        self.in_flight.iter().any(|batch| batch.installs.is_some())
    }
}

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    /// Hands a Ready's batch to the disk, or its messages on at once if there is nothing to make durable.
    pub(super) fn write(&mut self, work: Work) {
        let Work {
            ready,
            batch,
            installs,
            mut vouching,
        } = work;
        self.writes.hard_state = batch.hard_state.unwrap_or(self.writes.hard_state);
        if broken!(self.options, SendBeforePersist) {
            self.send(std::mem::take(&mut vouching));
        }
        if batch.entries.is_empty() && batch.snapshot.is_none() && !batch.must_sync {
            self.writes.has_lazy_commit |= batch.hard_state.is_some();
            // Nothing new to vouch for; but what went before must be durable first.
            match self.writes.in_flight.back_mut() {
                Some(last) => {
                    last.ready = ready;
                    last.vouching.extend(vouching);
                }
                None => {
                    self.node.on_persist_ready(ready);
                    self.send(vouching);
                }
            }
            return;
        }
        let last_index = batch.entries.last().map_or(0, |entry| entry.index);
        self.persist(
            batch,
            InFlight {
                number: 0,
                term: 0,
                ready,
                last_index,
                vouching,
                installs,
                takes: None,
            },
        );
    }

    /// Whether a crash now would leave the present term on the disk.
    pub(super) fn term_is_durable(&self) -> bool {
        self.node.raft.term <= self.writes.persisted_term
    }

    /// Writes a membership as soon as it is applied, with a commit index that covers it.
    pub(super) fn write_membership(&mut self) {
        let batch = Batch {
            membership: Some(self.membership.clone()),
            must_sync: true,
            ..Batch::default()
        };
        self.persist(batch, InFlight::nothing());
    }

    /// Makes this replica's own snapshot the newest: pointer, membership and hard state in one batch.
    pub(super) fn write_snapshot(&mut self, install: crate::log_store::InstallSnapshot) {
        let takes = Some(install.meta.clone());
        let batch = Batch {
            membership: Some(self.membership.clone()),
            snapshot: Some(install),
            must_sync: true,
            ..Batch::default()
        };
        self.persist(
            batch,
            InFlight {
                takes,
                ..InFlight::nothing()
            },
        );
    }

    /// On a tick: what was put off because nothing was being written anyway.
    pub(super) fn write_idle(&mut self) {
        let compact_to = self.compact_step();
        if !self.writes.has_lazy_commit && compact_to.is_none() {
            return;
        }
        self.persist(
            Batch {
                compact_to,
                ..Batch::default()
            },
            InFlight::nothing(),
        );
    }

    fn persist(&mut self, mut batch: Batch, mut in_flight: InFlight) {
        // Every batch carries the newest hard state: entries never become durable without the commit index they came
        // with, or a restart could forget a membership change that others already build on.
        batch.hard_state = Some(self.writes.hard_state);
        if broken!(self.options, HardStateAhead) {
            batch.hard_state = Some(convert::hard_state_from_raft(&self.node.raft.hard_state()));
        }
        self.plant(&mut batch);
        self.writes.has_lazy_commit = false;
        if batch.compact_to.is_none() {
            batch.compact_to = self.compact_step();
        }
        self.writes.last_number += 1;
        let number = self.writes.last_number;
        in_flight.number = number;
        in_flight.term = self.writes.hard_state.term;
        self.writes.in_flight.push_back(in_flight);
        self.outbox.push(Output::Persist { number, batch });
    }

    /// The mutants of what is written.
    fn plant(&self, batch: &mut Batch) {
        if broken!(self.options, ForgetVote)
            && let Some(state) = &mut batch.hard_state
        {
            state.vote = 0;
        }
        if broken!(self.options, SkipSync) && batch.snapshot.is_none() {
            batch.must_sync = false;
        }
        if broken!(self.options, KeepSuffix) {
            let in_flight = self.writes.in_flight.iter().map(|batch| batch.last_index);
            let last = in_flight.fold(self.writes.persisted_index, u64::max);
            batch.entries.retain(|entry| entry.index > last);
        }
    }

    pub(super) fn persisted(&mut self, number: u64) -> Result<(), Fatal> {
        while self
            .writes
            .in_flight
            .front()
            .is_some_and(|first| first.number <= number)
        {
            let Some(done) = self.writes.in_flight.pop_front() else {
                break;
            };
            if let Some(arrived) = done.installs {
                self.restore(arrived)?;
            }
            if let Some(meta) = done.takes {
                self.node.mut_store().set_snapshot(meta);
                self.node.mut_store().set_replaced_soon(false);
            }
            self.writes.persisted_term = self.writes.persisted_term.max(done.term);
            if done.last_index != 0 {
                self.writes.persisted_index = done.last_index;
            }
            if done.ready != 0 {
                self.node.on_persist_ready(done.ready);
                if broken!(self.options, CommitAlone) && self.is_raft_leader() {
                    let log = &mut self.node.raft.raft_log;
                    log.commit_to(self.writes.persisted_index.max(log.committed));
                }
                self.advance_applied();
            }
            self.send(done.vouching);
        }
        Ok(())
    }
}

// === impl InFlight ===

impl InFlight {
    fn nothing() -> Self {
        InFlight {
            number: 0,
            term: 0,
            ready: 0,
            last_index: 0,
            vouching: Vec::new(),
            installs: None,
            takes: None,
        }
    }
}
