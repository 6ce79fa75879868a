//! Proposals: all of one turn go to raft together, as one append message per member.

use super::Replica;
use super::output::{DropReason, Output};
use crate::options::{APPEND_BYTES_MAX, ENTRY_BYTES_MAX};
use crate::state_machine::StateMachine;
use bytes::Bytes;
use raft::eraftpb::{Entry, Message, MessageType};

/// Proposals of this turn.
#[derive(Default)]
pub(crate) struct Proposals {
    pub(crate) waiting: Vec<Bytes>,
    pub(crate) dropped: u64,
}

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    pub(super) fn flush_proposals(&mut self) {
        let waiting = std::mem::take(&mut self.proposals.waiting);
        let mut group = Vec::new();
        let mut group_bytes = 0;
        for data in waiting {
            if data.len() > ENTRY_BYTES_MAX {
                self.drop_proposal(data, DropReason::TooLarge);
                continue;
            }
            group_bytes += data.len() as u64;
            group.push(data);
            if group_bytes >= APPEND_BYTES_MAX {
                self.propose_group(std::mem::take(&mut group));
                group_bytes = 0;
            }
        }
        self.propose_group(group);
    }

    fn propose_group(&mut self, group: Vec<Bytes>) {
        if group.is_empty() {
            return;
        }
        if let Some(reason) = self.why_not_propose() {
            group
                .into_iter()
                .for_each(|data| self.drop_proposal(data, reason));
            return;
        }
        let mut message = Message::default();
        message.set_msg_type(MessageType::MsgPropose);
        message.from = self.options.member;
        let entries: Vec<Entry> = group
            .iter()
            .map(|data| Entry {
                data: data.clone(),
                ..Entry::default()
            })
            .collect();
        message.set_entries(entries.into());
        // Taken by a leader means appended; all other refusals were looked for above.
        if self.node.raft.step(message).is_err() {
            group
                .into_iter()
                .for_each(|data| self.drop_proposal(data, DropReason::Busy));
        }
    }

    /// On a follower raft-rs would forward the proposal and say Ok, and it could vanish on the way.
    fn why_not_propose(&self) -> Option<DropReason> {
        let role = self.current_role();
        if !role.leads() {
            return Some(DropReason::NotLeader);
        }
        if self.node.raft.lead_transferee.is_some() {
            return Some(DropReason::TransferUnderWay);
        }
        if !role.ready {
            return Some(DropReason::NotReady);
        }
        None
    }

    fn drop_proposal(&mut self, data: Bytes, reason: DropReason) {
        self.proposals.dropped += 1;
        self.outbox.push(Output::Dropped { data, reason });
    }
}
