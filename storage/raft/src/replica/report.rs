//! What a replica says about itself.

use super::output::Output;
use super::{Replica, convert};
use crate::state_machine::StateMachine;
use crate::status::{MemberStatus, Role, Standing, Status};
use raft::{ProgressState, StateRole};

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    /// Who leads, as of now.
    pub(super) fn current_role(&self) -> Role {
        let raft = &self.node.raft;
        let standing = match raft.state {
            _ if self.is_removed => Standing::Follower,
            StateRole::Leader => Standing::Leader,
            StateRole::Follower => Standing::Follower,
            StateRole::Candidate | StateRole::PreCandidate => Standing::Candidate,
        };
        let leads = standing == Standing::Leader;
        Role {
            term: raft.term,
            standing,
            leader: Some(raft.leader_id).filter(|leader| *leader != 0 && !self.is_removed),
            ready: leads && self.applied_term == raft.term && !self.is_paused(),
        }
    }

    pub(super) fn announce_role(&mut self) {
        let role = self.current_role();
        if role != self.role {
            self.role = role;
            self.outbox.push(Output::Role(role));
        }
    }

    /// Who leads, as last announced.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Plain numbers; `sync_micros` and `snapshot_micros` are the driver's.
    pub fn status(&self) -> Status {
        let raft = &self.node.raft;
        Status {
            member: self.options.member,
            role: self.role,
            commit: raft.raft_log.committed,
            applied: self.applied,
            first_index: self.node.store().truncated_index() + 1,
            last_index: raft.raft_log.last_index(),
            persisted_index: self.writes.persisted_index,
            snapshot: self.node.store().snapshot_meta().cloned(),
            durable_elsewhere: self.durable_elsewhere,
            batches_in_flight: self.writes.in_flight(),
            proposals_dropped: self.proposals.dropped,
            messages_refused: self.peers.refused,
            sync_micros: 0,
            snapshot_micros: 0,
            membership: self.membership.clone(),
            members: self.member_statuses(),
        }
    }

    fn member_statuses(&self) -> Vec<MemberStatus> {
        if !self.is_raft_leader() {
            return Vec::new();
        }
        let mut members: Vec<MemberStatus> = self
            .node
            .raft
            .prs()
            .iter()
            .map(|(member, progress)| MemberStatus {
                member: *member,
                matched: progress.matched,
                recent_active: self.is_alive(*member),
                learner: !convert::is_voter(&self.membership, *member),
                snapshot_under_way: progress.state == ProgressState::Snapshot,
            })
            .collect();
        members.sort_unstable_by_key(|status| status.member);
        members
    }
}
