//! Linearizable reads: one round to a quorum serves all reads that were waiting when it began.
//!
//! Only the leader reads, and every round has a context that was never used before: an old acknowledgement of a
//! used context would let a deposed leader answer (V1, etcd 20418).

use super::Replica;
use super::output::{Output, ReadRefused};
use crate::options::broken;
use crate::state_machine::StateMachine;
use std::collections::VecDeque;

/// Reads on their way.
#[derive(Default)]
pub(crate) struct Reads {
    /// Not in a round yet.
    queued: Vec<u64>,
    /// Sent to the others, oldest first.
    rounds: VecDeque<Round>,
    /// Confirmed; waiting until this index is applied.
    confirmed: Vec<(u64, Vec<u64>)>,
    /// Numbers the rounds of this process start.
    counter: u64,
    /// Set by a pause: rounds numbered above it prove the leadership again.
    paused_at: Option<u64>,
}

struct Round {
    number: u64,
    ids: Vec<u64>,
}

/// Rounds under way at once: enough to hide the network's delay; more reads wait and share the next one.
const ROUNDS_MAX: usize = 8;

/// Reads waiting at once; more are refused.
const READS_MAX: usize = 65_536;

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    pub(super) fn queue_read(&mut self, id: u64) {
        if self.reads.queued.len() >= READS_MAX {
            self.outbox.push(Output::ReadRefused {
                id,
                reason: ReadRefused::Busy,
            });
        } else {
            self.reads.queued.push(id);
        }
    }

    /// A leader that was away may have been deposed: it serves again after a round that began after its return.
    pub(super) fn paused(&mut self) {
        if !broken!(self.options, ServeAfterPause) && self.current_role().leads() {
            self.reads.paused_at = Some(self.reads.counter);
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.reads.paused_at.is_some()
    }

    pub(super) fn start_reads(&mut self) {
        let proves = self
            .reads
            .paused_at
            .is_some_and(|at| self.reads.rounds.iter().all(|round| round.number <= at));
        if self.reads.queued.is_empty() && !proves {
            return;
        }
        if let Some(reason) = self.why_not_read() {
            self.refuse_queued_reads(reason);
            return;
        }
        if broken!(self.options, ReadWithoutQuorum) {
            let ids = std::mem::take(&mut self.reads.queued);
            self.reads
                .confirmed
                .push((self.node.raft.raft_log.committed, ids));
            return;
        }
        if self.reads.rounds.len() >= ROUNDS_MAX && !proves {
            return;
        }
        self.start_round();
    }

    fn start_round(&mut self) {
        self.reads.counter += 1;
        let number = self.reads.counter;
        let ids = std::mem::take(&mut self.reads.queued);
        let seen_before = self.node.raft.pending_read_count() + self.node.raft.ready_read_count();
        self.node.read_index(self.context(number));
        let seen_after = self.node.raft.pending_read_count() + self.node.raft.ready_read_count();
        self.reads.rounds.push_back(Round { number, ids });
        // raft-rs drops such a request without a word while it has nothing committed in its term.
        let reuses = broken!(self.options, ReuseReadContext);
        let forgets = broken!(self.options, ForgetVanishedRead);
        if seen_after == seen_before && !reuses && !forgets {
            let round = self.reads.rounds.pop_back();
            for id in round.into_iter().flat_map(|round| round.ids) {
                self.outbox.push(Output::ReadRefused {
                    id,
                    reason: ReadRefused::NotReady,
                });
            }
        }
    }

    fn context(&self, number: u64) -> Vec<u8> {
        let number = if broken!(self.options, ReuseReadContext) {
            0
        } else {
            number
        };
        let mut context = self.options.boot.to_vec();
        context.extend_from_slice(&number.to_be_bytes());
        context
    }

    /// raft has heard a quorum after the round began.
    pub(super) fn read_confirmed(&mut self, context: &[u8], index: u64) {
        let all = std::mem::take(&mut self.reads.rounds);
        let (confirmed, others): (VecDeque<Round>, VecDeque<Round>) = all
            .into_iter()
            .partition(|round| self.context(round.number) == context);
        self.reads.rounds = others;
        for round in confirmed {
            if self.reads.paused_at.is_some_and(|at| round.number > at) {
                self.reads.paused_at = None;
            }
            self.reads.confirmed.push((index, round.ids));
        }
    }

    pub(super) fn answer_reads(&mut self) {
        let applied = if broken!(self.options, ReadBeforeApplied) {
            u64::MAX
        } else {
            self.applied
        };
        let outbox = &mut self.outbox;
        self.reads.confirmed.retain_mut(|(index, ids)| {
            if *index > applied {
                return true;
            }
            outbox.extend(
                ids.drain(..)
                    .map(|id| Output::ReadReady { id, index: *index }),
            );
            false
        });
    }

    /// Every read of a lost leadership is refused: the rounds are gone with it.
    pub(super) fn lose_reads(&mut self) {
        let reads = std::mem::take(&mut self.reads);
        // The counter goes on, or a context of this process would come twice.
        self.reads.counter = reads.counter;
        let waiting = reads
            .rounds
            .into_iter()
            .flat_map(|round| round.ids)
            .chain(reads.queued);
        let confirmed = reads.confirmed.into_iter().flat_map(|(_, ids)| ids);
        for id in waiting.chain(confirmed) {
            self.outbox.push(Output::ReadRefused {
                id,
                reason: ReadRefused::LeadershipLost,
            });
        }
    }

    fn why_not_read(&self) -> Option<ReadRefused> {
        if !self.current_role().leads() {
            return Some(ReadRefused::NotLeader);
        }
        if self.applied_term != self.node.raft.term && !broken!(self.options, ForgetVanishedRead) {
            return Some(ReadRefused::NotReady);
        }
        None
    }

    fn refuse_queued_reads(&mut self, reason: ReadRefused) {
        for id in std::mem::take(&mut self.reads.queued) {
            self.outbox.push(Output::ReadRefused { id, reason });
        }
    }
}
