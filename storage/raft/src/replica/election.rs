//! Election timeouts from the seed instead of raft-rs's thread-local random numbers (V5), and the ticks themselves.

use super::Replica;
use crate::options::broken;
use crate::state_machine::StateMachine;
use raft::StateRole;

/// What the timeout was last drawn for.
#[derive(Default)]
pub(crate) struct Elections {
    /// Counts changes of term, role or leader, and attempts: a new draw each, or two candidates could tie for ever.
    epoch: u64,
    seen: Option<(u64, StateRole, u64)>,
}

// === impl Replica ===

impl<M: StateMachine> Replica<M> {
    pub(super) fn tick_election(&mut self) {
        if !self.is_raft_leader() && !self.may_campaign() {
            return;
        }
        self.node.tick();
        if !self.is_raft_leader() && self.node.raft.election_elapsed == 0 {
            self.elections.epoch += 1;
        }
    }

    /// raft-rs panics if it campaigns while a snapshot is on its way to the disk: it looks for changes in a log that
    /// begins behind what it has applied. And alone it would lead the moment it asks, and insists that its whole log
    /// is durable by then.
    pub(super) fn may_campaign(&self) -> bool {
        if broken!(self.options, CampaignWhileInstalling) {
            return true;
        }
        let is_alone =
            self.membership.voters.len() == 1 && !broken!(self.options, CampaignUnsynced);
        !self.writes.is_installing() && (!is_alone || self.writes.in_flight() == 0)
    }

    /// After everything that may have changed the role: raft-rs has drawn a timeout of its own by then.
    pub(super) fn settle_election_timeout(&mut self) {
        let raft = &self.node.raft;
        let now = (raft.term, raft.state, raft.leader_id);
        if let Some((term, state, _)) = self.elections.seen
            && state == StateRole::Leader
            && (now.0, now.1) != (term, state)
        {
            self.lose_reads();
            self.lose_change();
        }
        if self.elections.seen != Some(now) {
            self.elections.seen = Some(now);
            self.elections.epoch += 1;
        }
        if broken!(self.options, UnseededElections) {
            return;
        }
        let ticks = self.options.election_ticks as u64;
        let draw = mix(&[
            self.options.seed,
            self.options.member,
            now.0,
            self.elections.epoch,
        ]);
        self.node
            .raft
            .set_randomized_election_timeout((ticks + draw % ticks) as usize);
    }
}

/// SplitMix64 over a few numbers: well spread, and the same everywhere.
fn mix(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0x9e37_79b9_7f4a_7c15, |state, number| {
        let mut mixed = (state ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}
