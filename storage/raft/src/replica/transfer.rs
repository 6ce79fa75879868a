//! Handing the leadership over: bounded by the election timeout, and answered.

use super::Replica;
use super::convert;
use super::output::{Output, TransferRefused};
use crate::state_machine::StateMachine;

/// The hand-over under way.
pub(crate) struct Transfer {
    /// None if nobody asked: a leader that is to be removed hands over first.
    id: Option<u64>,
    to: u64,
    /// Ticks left until it counts as failed.
    deadline_tick: Option<u64>,
}

/// A hand-over is given this many election timeouts: one in which raft may still finish it, one to learn who leads.
const TIMEOUTS: u64 = 2;

// === impl Transfer ===

impl Transfer {
    pub(crate) fn unasked(to: u64) -> Self {
        Transfer {
            id: None,
            to,
            deadline_tick: None,
        }
    }
}

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    pub(super) fn begin_transfer(&mut self, id: u64, to: Option<u64>) {
        match self.choose_target(to) {
            Ok(to) => {
                self.node.transfer_leader(to);
                self.transfer = Some(Transfer {
                    id: Some(id),
                    to,
                    deadline_tick: None,
                });
            }
            Err(reason) => self.outbox.push(Output::Transferred {
                id,
                result: Err(reason),
            }),
        }
    }

    fn choose_target(&self, to: Option<u64>) -> Result<u64, TransferRefused> {
        if !self.current_role().leads() {
            return Err(TransferRefused::NotLeader);
        }
        if self.transfer.is_some() {
            return Err(TransferRefused::Pending);
        }
        let Some(to) = to else {
            return self.best_successor().ok_or(TransferRefused::NoTarget);
        };
        // The target must vote in the incoming half, or raft-rs ignores the transfer without a word.
        if to == self.options.member || !self.membership.voters.contains(&to) {
            return Err(TransferRefused::NotVoter(to));
        }
        Ok(to)
    }

    /// The live voter that is furthest; of equals the smallest id.
    pub(super) fn best_successor(&self) -> Option<u64> {
        let others = self
            .membership
            .voters
            .iter()
            .copied()
            .filter(|voter| *voter != self.options.member);
        others
            .filter(|voter| self.is_alive(*voter) && convert::is_voter(&self.membership, *voter))
            .max_by_key(|voter| {
                let matched = self
                    .node
                    .raft
                    .prs()
                    .get(*voter)
                    .map_or(0, |progress| progress.matched);
                (matched, std::cmp::Reverse(*voter))
            })
    }

    /// Looks whether the hand-over has ended.
    pub(super) fn settle_transfer(&mut self) {
        let Some(mut transfer) = self.transfer.take() else {
            return;
        };
        let ticks = self.ticks;
        let patience = TIMEOUTS * self.options.election_ticks as u64;
        let deadline = *transfer.deadline_tick.get_or_insert(ticks + patience);
        let role = self.current_role();
        let result = match role.leader {
            Some(leader) if !role.leads() => Ok(leader),
            // raft gave up: its own deadline is one election timeout.
            _ if role.leads() && self.node.raft.lead_transferee.is_none() => {
                Err(TransferRefused::TimedOut(transfer.to))
            }
            _ if ticks >= deadline => Err(TransferRefused::TimedOut(transfer.to)),
            _ => {
                self.transfer = Some(transfer);
                return;
            }
        };
        if let Some(id) = transfer.id {
            self.outbox.push(Output::Transferred { id, result });
        }
    }
}
