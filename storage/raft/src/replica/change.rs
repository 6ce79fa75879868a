//! Membership changes: one at a time, and made only when applied. raft-rs answers Ok to a change it silently turns
//! into an empty entry (V3), so its Ok proves nothing.

use super::convert;
use super::input::Change;
use super::output::{ChangeRefused, Output};
use super::{Replica, transfer};
use crate::options::broken;
use crate::state_machine::StateMachine;
use raft::eraftpb::{
    ConfChangeSingle, ConfChangeTransition, ConfChangeType, ConfChangeV2, EntryType,
};

/// The change under way and the joint configuration's supervisor.
#[derive(Default)]
pub(crate) struct Changes {
    pending: Option<Pending>,
    /// Since which tick a joint configuration waits to be left although nothing is pending.
    joint_since: Option<u64>,
}

struct Pending {
    id: u64,
    /// boot + id: tells this request's entry from every other.
    context: Vec<u8>,
}

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    pub(super) fn begin_change(&mut self, id: u64, change: Change) {
        if let Err(reason) = self.try_change(id, &change) {
            self.outbox.push(Output::ChangeRefused { id, reason });
        }
    }

    fn try_change(&mut self, id: u64, change: &Change) -> Result<(), ChangeRefused> {
        self.check_leading()?;
        self.check_change(change)?;
        if self.removes_self(change) {
            self.hand_over_before_leaving();
            return Err(ChangeRefused::HandingOver);
        }
        let mut context = self.options.boot.to_vec();
        context.extend_from_slice(&id.to_be_bytes());
        if self
            .node
            .propose_conf_change(context.clone(), self.to_raft(change))
            .is_err()
        {
            return Err(ChangeRefused::NotReady);
        }
        // The last word on V3: what stands in the log now is the change itself, not an empty entry.
        let last_index = self.node.raft.raft_log.last_index();
        let is_there = self
            .node
            .raft
            .raft_log
            .unstable_entries()
            .last()
            .is_some_and(|entry| {
                entry.index == last_index && entry.get_entry_type() == EntryType::EntryConfChangeV2
            });
        if broken!(self.options, CompleteChangeOnPropose) {
            let membership = self.membership.clone();
            self.outbox.push(Output::MembershipChanged {
                id: Some(id),
                index: last_index,
                membership,
            });
            return Ok(());
        }
        if !is_there {
            return Err(ChangeRefused::Pending);
        }
        self.change.pending = Some(Pending { id, context });
        Ok(())
    }

    fn check_leading(&self) -> Result<(), ChangeRefused> {
        let role = self.current_role();
        if !role.leads() {
            return Err(ChangeRefused::NotLeader);
        }
        if !role.ready || self.node.raft.lead_transferee.is_some() {
            return Err(ChangeRefused::NotReady);
        }
        let is_joint = !self.membership.voters_outgoing.is_empty();
        if self.node.raft.has_pending_conf() || is_joint || self.change.pending.is_some() {
            if broken!(self.options, CompleteChangeOnPropose) {
                return Ok(());
            }
            return Err(ChangeRefused::Pending);
        }
        Ok(())
    }

    fn check_change(&self, change: &Change) -> Result<(), ChangeRefused> {
        match change {
            Change::AddLearner { member } if *member == 0 => Err(ChangeRefused::NotMember(0)),
            Change::AddLearner { member } if convert::takes_part(&self.membership, *member) => {
                Err(ChangeRefused::AlreadyMember(*member))
            }
            Change::AddLearner { .. } => Ok(()),
            Change::Promote { member, replaces } => self.check_promotion(*member, *replaces),
            Change::Remove { member, forced } => self.check_removal(*member, *forced),
        }
    }

    fn check_promotion(&self, member: u64, replaces: Option<u64>) -> Result<(), ChangeRefused> {
        if convert::is_voter(&self.membership, member) {
            return Err(ChangeRefused::AlreadyVoter(member));
        }
        if !convert::takes_part(&self.membership, member) {
            return Err(ChangeRefused::NotMember(member));
        }
        if let Some(old) = replaces.filter(|old| !convert::takes_part(&self.membership, *old)) {
            return Err(ChangeRefused::NotMember(old));
        }
        let last_index = self.node.raft.raft_log.last_index();
        let matched = self
            .node
            .raft
            .prs()
            .get(member)
            .map_or(0, |progress| progress.matched);
        let lag_entries = last_index.saturating_sub(matched);
        if lag_entries > self.options.promote_lag_entries || matched == 0 || !self.is_alive(member)
        {
            return Err(ChangeRefused::NotCaughtUp {
                member,
                lag_entries,
            });
        }
        Ok(())
    }

    fn check_removal(&self, member: u64, forced: bool) -> Result<(), ChangeRefused> {
        if !convert::takes_part(&self.membership, member) {
            return Err(ChangeRefused::NotMember(member));
        }
        let rest: Vec<u64> = self
            .membership
            .voters
            .iter()
            .copied()
            .filter(|voter| *voter != member)
            .collect();
        if rest.is_empty() {
            return Err(ChangeRefused::LastVoter);
        }
        let alive = rest.iter().filter(|voter| self.is_alive(**voter)).count();
        let needed = rest.len() / 2 + 1;
        if alive < needed && !forced {
            return Err(ChangeRefused::QuorumAtRisk { alive, needed });
        }
        Ok(())
    }

    /// Heard of within one election timeout.
    pub(super) fn is_alive(&self, member: u64) -> bool {
        let patience = self.options.election_ticks as u64;
        member == self.options.member
            || self
                .peers
                .heard_at(member)
                .is_some_and(|tick| self.ticks.saturating_sub(tick) <= patience)
    }

    fn removes_self(&self, change: &Change) -> bool {
        if broken!(self.options, KeepLeadingWhenRemoved) {
            return false;
        }
        let me = self.options.member;
        matches!(change, Change::Remove { member, .. } if *member == me)
            || matches!(change, Change::Promote { replaces: Some(member), .. } if *member == me)
    }

    fn hand_over_before_leaving(&mut self) {
        if self.transfer.is_none()
            && let Some(to) = self.best_successor()
        {
            self.node.transfer_leader(to);
            self.transfer = Some(transfer::Transfer::unasked(to));
        }
    }

    /// A change was applied; tells whose request it was.
    pub(super) fn change_applied(&mut self, context: &[u8]) -> Option<u64> {
        let pending = self
            .change
            .pending
            .take_if(|pending| pending.context == context)?;
        Some(pending.id)
    }

    fn to_raft(&self, change: &Change) -> ConfChangeV2 {
        let mut raft = to_raft(change);
        let raft_forgets = broken!(self.options, RaftForgetsJoint);
        let both_forget = broken!(self.options, JointNeverLeft);
        if raft.changes.len() > 1 && (raft_forgets || both_forget) {
            raft.set_transition(ConfChangeTransition::Explicit);
        }
        raft
    }

    /// The leadership is gone and nobody knows what becomes of the change.
    pub(super) fn lose_change(&mut self) {
        if let Some(pending) = self.change.pending.take() {
            self.outbox.push(Output::ChangeRefused {
                id: pending.id,
                reason: ChangeRefused::Unknown,
            });
        }
    }

    /// raft-rs may forget to leave a joint configuration when the leader changes at the wrong moment (etcd 12136).
    pub(super) fn supervise_joint(&mut self) {
        let raft = &self.node.raft;
        let is_stuck = self.current_role().ready
            && !self.membership.voters_outgoing.is_empty()
            && !raft.has_pending_conf()
            && raft.lead_transferee.is_none()
            && !broken!(self.options, JointNeverLeft);
        if !is_stuck {
            self.change.joint_since = None;
            return;
        }
        let since = *self.change.joint_since.get_or_insert(self.ticks);
        if self.ticks - since >= self.options.election_ticks as u64 {
            self.change.joint_since = None;
            if let Err(error) = self
                .node
                .propose_conf_change(Vec::new(), ConfChangeV2::default())
            {
                tracing::warn!(%error, "leaving the joint membership was refused; trying again");
            }
        }
    }
}

fn to_raft(change: &Change) -> ConfChangeV2 {
    let mut raft = ConfChangeV2::default();
    let mut push = |kind, member| {
        let mut single = ConfChangeSingle::default();
        single.set_change_type(kind);
        single.node_id = member;
        raft.mut_changes().push(single);
    };
    match change {
        Change::AddLearner { member } => push(ConfChangeType::AddLearnerNode, *member),
        // Two changes in one make a joint configuration, which raft leaves by itself.
        Change::Promote { member, replaces } => {
            push(ConfChangeType::AddNode, *member);
            if let Some(old) = replaces {
                push(ConfChangeType::RemoveNode, *old);
            }
        }
        Change::Remove { member, .. } => push(ConfChangeType::RemoveNode, *member),
    }
    raft
}
