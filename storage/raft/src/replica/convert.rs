//! Between our plain types and raft-rs's protobuf ones.

use crate::log_store::{Entry, HardState, Membership, SnapshotMeta};
use bytes::Bytes;
use raft::eraftpb;

/// Chunk count and checksum travel in a snapshot message's data, little-endian: 4 + 4 bytes.
const SNAPSHOT_DATA_BYTES: usize = 8;

pub(crate) fn entry_to_raft(entry: &Entry) -> eraftpb::Entry {
    let mut raft = eraftpb::Entry::default();
    raft.set_entry_type(match entry.kind {
        1 => eraftpb::EntryType::EntryConfChange,
        2 => eraftpb::EntryType::EntryConfChangeV2,
        _ => eraftpb::EntryType::EntryNormal,
    });
    raft.index = entry.index;
    raft.term = entry.term;
    raft.data = entry.data.clone();
    raft.context = entry.context.clone();
    raft
}

pub(crate) fn entry_from_raft(raft: &eraftpb::Entry) -> Entry {
    Entry {
        index: raft.index,
        term: raft.term,
        kind: raft.get_entry_type() as u8,
        data: raft.data.clone(),
        context: raft.context.clone(),
    }
}

pub(crate) fn hard_state_to_raft(state: HardState) -> eraftpb::HardState {
    eraftpb::HardState {
        term: state.term,
        vote: state.vote,
        commit: state.commit,
        ..eraftpb::HardState::default()
    }
}

pub(crate) fn hard_state_from_raft(raft: &eraftpb::HardState) -> HardState {
    HardState {
        term: raft.term,
        vote: raft.vote,
        commit: raft.commit,
    }
}

pub(crate) fn membership_to_raft(membership: &Membership) -> eraftpb::ConfState {
    let mut raft = eraftpb::ConfState::default();
    raft.set_voters(membership.voters.clone());
    raft.set_learners(membership.learners.clone());
    raft.set_voters_outgoing(membership.voters_outgoing.clone());
    raft.set_learners_next(membership.learners_next.clone());
    raft.auto_leave = membership.auto_leave;
    raft
}

/// Sorted: raft-rs lists members in hash order.
pub(crate) fn membership_from_raft(raft: &eraftpb::ConfState) -> Membership {
    let sorted = |ids: &[u64]| {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids
    };
    Membership {
        voters: sorted(raft.get_voters()),
        learners: sorted(raft.get_learners()),
        voters_outgoing: sorted(raft.get_voters_outgoing()),
        learners_next: sorted(raft.get_learners_next()),
        auto_leave: raft.auto_leave,
    }
}

pub(crate) fn snapshot_to_raft(meta: &SnapshotMeta) -> eraftpb::Snapshot {
    let mut raft = eraftpb::Snapshot::default();
    raft.mut_metadata().index = meta.index;
    raft.mut_metadata().term = meta.term;
    raft.mut_metadata()
        .set_conf_state(membership_to_raft(&meta.membership));
    let mut data = Vec::with_capacity(SNAPSHOT_DATA_BYTES);
    data.extend_from_slice(&meta.chunks.to_le_bytes());
    data.extend_from_slice(&meta.crc.to_le_bytes());
    raft.data = Bytes::from(data);
    raft
}

/// None if the message's data is not ours.
pub(crate) fn snapshot_from_raft(raft: &eraftpb::Snapshot) -> Option<SnapshotMeta> {
    let data: [u8; SNAPSHOT_DATA_BYTES] = raft.data.as_ref().try_into().ok()?;
    let [a, b, c, d, e, f, g, h] = data;
    Some(SnapshotMeta {
        index: raft.get_metadata().index,
        term: raft.get_metadata().term,
        membership: membership_from_raft(raft.get_metadata().get_conf_state()),
        chunks: u32::from_le_bytes([a, b, c, d]),
        crc: u32::from_le_bytes([e, f, g, h]),
    })
}

/// Whether a member takes part at all, in either half of a joint configuration.
pub(crate) fn takes_part(membership: &Membership, member: u64) -> bool {
    is_voter(membership, member)
        || membership.learners.contains(&member)
        || membership.learners_next.contains(&member)
}

/// Whether a member's vote counts in either half of a joint configuration.
pub(crate) fn is_voter(membership: &Membership, member: u64) -> bool {
    membership.voters.contains(&member) || membership.voters_outgoing.contains(&member)
}
