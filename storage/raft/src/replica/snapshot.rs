//! Snapshots: taken of this machine, offered by a leader, and on their way to other members.
//!
//! A snapshot message carries only what the snapshot covers. The chunks are fetched, staged and checked first;
//! raft sees the message when they are here, so that it never waits for a transfer.

use super::output::{Freeze, Output};
use super::{Fatal, Replica, convert};
use crate::log_store::{InstallSnapshot, SnapshotMeta};
use crate::options::broken;
use crate::state_machine::StateMachine;
use bytes::Bytes;
use raft::eraftpb::{Message, Snapshot};
use raft::{ProgressState, SnapshotStatus};
use std::collections::BTreeMap;

/// Everything about snapshots that is under way.
#[derive(Default)]
pub(crate) struct Snapshots {
    /// The index of the image being encoded, or staged and not yet written.
    taking: Option<u64>,
    /// Staged, but somebody may be fetching the one whose place it takes.
    taken: Option<SnapshotMeta>,
    /// Somebody needs one that knows a newer membership.
    membership_index: u64,
    /// The newest offer of a leader.
    offer: Option<Message>,
    fetching: Option<SnapshotMeta>,
    arrived: Option<Arrived>,
    /// Members a snapshot is on its way to, and the tick of their last sign of life.
    transfers: BTreeMap<u64, u64>,
}

/// A whole snapshot, checked and staged.
pub(crate) struct Arrived {
    pub(crate) meta: SnapshotMeta,
    pub(crate) chunks: Vec<Bytes>,
}

// === impl Snapshots ===

impl Snapshots {
    pub(crate) fn sign_of_life(&mut self, member: u64, tick: u64) {
        if let Some(last) = self.transfers.get_mut(&member) {
            *last = tick;
        }
    }

    /// The next snapshot must know this membership, or raft ignores it at a member it lacks.
    pub(crate) fn note_membership(&mut self, index: u64) {
        self.membership_index = index;
    }
}

// === impl Replica: our own ===

impl<M: StateMachine> Replica<M> {
    /// Freezes the machine when the log has grown enough, when the membership changed, or when a member needs it.
    pub(super) fn want_snapshot(&mut self) {
        let newest = self
            .node
            .store()
            .snapshot_meta()
            .map_or(0, |meta| meta.index);
        let since_bytes = self.node.store().bytes_between(newest, self.applied);
        let is_due = self.applied - newest.min(self.applied) >= self.options.snapshot_every_entries
            || since_bytes >= self.snapshot_bytes()
            || newest < self.snapshots.membership_index
            || self.node.store().take_snapshot_wanted();
        // A new snapshot replaces the chunks a member may be reading just now.
        // And one of an index that is just being written would be staged into the first one's place.
        let is_free = self.snapshots.taking.is_none()
            && self.snapshots.transfers.is_empty()
            && !self.writes.is_taking();
        let is_possible =
            self.applied > newest && !self.membership.voters.is_empty() && !self.is_removed;
        if is_due && is_free && is_possible {
            self.snapshots.taking = Some(self.applied);
            self.outbox.push(Output::TakeSnapshot(Freeze {
                image: self.machine.freeze(),
                index: self.applied,
                term: self.applied_term,
                membership: self.membership.clone(),
            }));
        }
    }

    /// Each member has a border of its own, up to three quarters higher: replicas that share a machine or a disk array, and
    /// all have the same log, do not take theirs at once.
    fn snapshot_bytes(&self) -> u64 {
        let every = self.options.snapshot_every_bytes;
        every + every / 4 * (self.options.member % 4)
    }

    pub(super) fn snapshot_taken(&mut self, meta: SnapshotMeta) {
        self.snapshots.taken = Some(meta);
    }

    /// Makes the staged one the newest, once nobody fetches the one before it. Under load the next is due as soon as a
    /// transfer has failed, and the one before is offered again meanwhile: replaced, it would fail again, and so on for ever.
    pub(super) fn settle_taken(&mut self) {
        let is_fetched = !self.snapshots.transfers.is_empty();
        if is_fetched && !broken!(self.options, ReplaceFetchedSnapshot) {
            return;
        }
        let Some(meta) = self.snapshots.taken.take() else {
            return;
        };
        self.snapshots.taking = None;
        let newest = self
            .node
            .store()
            .snapshot_meta()
            .map_or(0, |newest| newest.index);
        // The leader's snapshot may have overtaken it, and may be on its way to the disk now.
        if meta.index > newest && meta.index > self.node.store().truncated_index() {
            self.node.mut_store().set_replaced_soon(true);
            self.write_snapshot(InstallSnapshot {
                meta,
                reset_log: false,
            });
        }
    }
}

// === impl Replica: the leader's ===

impl<M: StateMachine> Replica<M> {
    /// A leader says that this member needs a snapshot.
    pub(super) fn snapshot_offered(&mut self, message: Message) -> Result<(), Fatal> {
        let Some(meta) = convert::snapshot_from_raft(message.get_snapshot()) else {
            return Ok(());
        };
        let log = &self.node.raft.raft_log;
        let is_known = meta.index <= log.committed || log.match_term(meta.index, meta.term);
        let is_here = self
            .snapshots
            .arrived
            .as_ref()
            .is_some_and(|arrived| arrived.meta == meta);
        if is_known || is_here {
            self.step(message);
            return Ok(());
        }
        // A replica without a past is a learner until it has one. If it votes already, its promises are lost.
        if self.membership.voters.is_empty()
            && convert::is_voter(&meta.membership, self.options.member)
        {
            return Err(Fatal::EmptiedVoter {
                member: self.options.member,
            });
        }
        self.snapshots.offer = Some(message);
        self.fetch_offer();
        Ok(())
    }

    fn fetch_offer(&mut self) {
        if self.snapshots.fetching.is_some() {
            return;
        }
        let Some(offer) = &self.snapshots.offer else {
            return;
        };
        let Some(meta) = convert::snapshot_from_raft(offer.get_snapshot()) else {
            return;
        };
        self.snapshots.fetching = Some(meta.clone());
        self.outbox.push(Output::FetchSnapshot {
            from: offer.from,
            meta,
        });
    }

    pub(super) fn snapshot_arrived(
        &mut self,
        meta: SnapshotMeta,
        chunks: Vec<Bytes>,
    ) -> Result<(), Fatal> {
        self.snapshots.fetching = None;
        let Some(offer) = self.snapshots.offer.take() else {
            return Ok(());
        };
        let is_offered = convert::snapshot_from_raft(offer.get_snapshot())
            .is_some_and(|offered| offered == meta);
        if is_offered {
            self.snapshots.arrived = Some(Arrived { meta, chunks });
            self.step(offer);
        } else {
            self.snapshots.offer = Some(offer);
            self.fetch_offer();
        }
        Ok(())
    }

    pub(super) fn snapshot_failed(&mut self, index: u64) {
        if self
            .snapshots
            .fetching
            .as_ref()
            .is_some_and(|meta| meta.index == index)
        {
            self.snapshots.fetching = None;
            let is_same = self.offered_index() == Some(index);
            // The same one is not worth another try before the leader offers it again.
            if is_same {
                self.snapshots.offer = None;
            } else {
                self.fetch_offer();
            }
        }
    }

    fn offered_index(&self) -> Option<u64> {
        self.snapshots
            .offer
            .as_ref()
            .map(|offer| offer.get_snapshot().get_metadata().index)
    }

    /// raft has taken the snapshot: the log becomes its end, in the cache now, on the disk with the batch.
    pub(super) fn install_snapshot(
        &mut self,
        snapshot: &Snapshot,
    ) -> Result<(InstallSnapshot, Arrived), Fatal> {
        let index = snapshot.get_metadata().index;
        let offered = convert::snapshot_from_raft(snapshot);
        // raft sees an offer only when its chunks are here.
        let arrived = self
            .snapshots
            .arrived
            .take()
            .filter(|arrived| offered.as_ref() == Some(&arrived.meta));
        let arrived = arrived.ok_or(Fatal::SnapshotMissing { index })?;
        self.node
            .mut_store()
            .reset(arrived.meta.index, arrived.meta.term);
        self.snapshots.offer = None;
        Ok((
            InstallSnapshot {
                meta: arrived.meta.clone(),
                reset_log: true,
            },
            arrived,
        ))
    }
}

// === impl Replica: to the others ===

impl<M: StateMachine> Replica<M> {
    /// raft sends nothing to a member in Snapshot state until it hears how the transfer ended; a member that died in
    /// the middle, or whose answer was lost, would stay behind for ever.
    pub(super) fn watch_snapshots(&mut self) {
        if !self.is_raft_leader() {
            self.snapshots.transfers.clear();
            return;
        }
        let mut receiving: Vec<u64> = self
            .node
            .raft
            .prs()
            .iter()
            .filter(|(_, progress)| progress.state == ProgressState::Snapshot)
            .map(|(member, _)| *member)
            .collect();
        receiving.sort_unstable();
        self.snapshots
            .transfers
            .retain(|member, _| receiving.contains(member));
        for member in receiving {
            let last = *self.snapshots.transfers.entry(member).or_insert(self.ticks);
            if self.ticks - last > self.options.snapshot_patience_ticks {
                self.snapshot_lost(member);
            }
        }
    }

    /// A transfer failed: raft tries again once the member answers heartbeats.
    pub(super) fn snapshot_lost(&mut self, member: u64) {
        if broken!(self.options, OmitSnapshotReport) {
            return;
        }
        if self.snapshots.transfers.remove(&member).is_some() {
            self.node.report_snapshot(member, SnapshotStatus::Failure);
        }
    }

    /// The lowest snapshot still on its way: its receiver needs every entry behind it next.
    pub(super) fn lowest_transfer(&self) -> Option<u64> {
        let pending = self
            .snapshots
            .transfers
            .keys()
            .filter_map(|member| self.node.raft.prs().get(*member));
        pending.map(|progress| progress.pending_snapshot).min()
    }
}
