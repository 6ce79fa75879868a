//! Applying what is committed.

use super::output::Output;
use super::snapshot::Arrived;
use super::{Fatal, Replica, convert};
use crate::options::broken;
use crate::state_machine::{self, StateMachine};
use protobuf::Message as _;
use raft::eraftpb::{ConfChange, ConfChangeV2, Entry, EntryType};
use raft::prelude::ConfState;

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    /// Everything that is known committed.
    pub(super) fn apply_committed(&mut self) -> Result<(), Fatal> {
        while let Some(entry) = self.committed.pop_front() {
            match entry.get_entry_type() {
                EntryType::EntryNormal => self.apply_normal(&entry)?,
                EntryType::EntryConfChange | EntryType::EntryConfChangeV2 => {
                    self.apply_change(&entry)?
                }
            }
            self.applied = entry.index;
            self.applied_term = entry.term;
            if self.is_removed {
                return Ok(());
            }
        }
        self.advance_applied();
        Ok(())
    }

    /// Tells raft how far the machine is; it may then propose to leave a joint configuration.
    pub(super) fn advance_applied(&mut self) {
        let log = &self.node.raft.raft_log;
        if self.applied > log.applied && self.applied <= log.committed.min(log.persisted) {
            self.node.advance_apply_to(self.applied);
        }
    }

    fn apply_normal(&mut self, entry: &Entry) -> Result<(), Fatal> {
        // A new leader's first entry is empty; so is a change raft-rs refused.
        if entry.data.is_empty() {
            return Ok(());
        }
        let effect = self.machine.apply(entry.index, &entry.data)?;
        self.outbox.push(Output::Applied {
            index: entry.index,
            term: entry.term,
            effect,
        });
        Ok(())
    }

    fn apply_change(&mut self, entry: &Entry) -> Result<(), Fatal> {
        let conf_state = self
            .change_raft(entry)
            .map_err(|source| Fatal::Membership {
                index: entry.index,
                source,
            })?;
        self.membership = convert::membership_from_raft(&conf_state);
        self.snapshots.note_membership(entry.index);
        let id = self.change_applied(&entry.context);
        let membership = self.membership.clone();
        self.outbox.push(Output::MembershipChanged {
            id,
            index: entry.index,
            membership,
        });
        self.write_membership();
        if !convert::takes_part(&self.membership, self.options.member)
            && !broken!(self.options, KeepLeadingWhenRemoved)
        {
            self.leave();
        }
        Ok(())
    }

    fn change_raft(&mut self, entry: &Entry) -> raft::Result<ConfState> {
        if entry.get_entry_type() == EntryType::EntryConfChange {
            let mut change = ConfChange::default();
            change.merge_from_bytes(&entry.data)?;
            return self.node.apply_conf_change(&change);
        }
        // Empty data is an empty change: it leaves a joint configuration.
        let mut change = ConfChangeV2::default();
        change.merge_from_bytes(&entry.data)?;
        self.node.apply_conf_change(&change)
    }

    /// V2: raft-rs would let a removed leader lead on, and the cluster would silently stop committing.
    fn leave(&mut self) {
        self.is_removed = true;
        self.lose_reads();
        self.lose_change();
        for data in std::mem::take(&mut self.proposals.waiting) {
            self.outbox.push(Output::Dropped {
                data,
                reason: super::output::DropReason::Stopping,
            });
        }
        self.outbox.push(Output::Removed);
    }

    /// The leader's snapshot is durable: it becomes the state.
    pub(super) fn restore(&mut self, arrived: Arrived) -> Result<(), Fatal> {
        // What came before it is applied before it; whoever waits for its effects hears of them.
        self.apply_committed()?;
        if self.is_removed {
            return Ok(());
        }
        let Arrived { meta, chunks } = arrived;
        let mut chunks = chunks.into_iter().map(|chunk| chunk.to_vec());
        self.machine
            .restore(meta.index, &mut chunks)
            .map_err(|error| state_machine::Error { ..error })?;
        self.applied = meta.index;
        self.applied_term = meta.term;
        self.membership = meta.membership.clone();
        self.writes.persisted_index = meta.index;
        self.outbox
            .push(Output::SnapshotInstalled { index: meta.index });
        let membership = meta.membership.clone();
        self.outbox.push(Output::MembershipChanged {
            id: None,
            index: meta.index,
            membership,
        });
        self.node.mut_store().set_snapshot(meta);
        Ok(())
    }
}
