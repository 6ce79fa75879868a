//! The record of all that is small. It cannot disagree with itself.
//!
//! A write replaces it, or carries in its chunk what changed of it: the larger sequence is what holds.

use crate::Error;
use crate::encoding::{Input, put_u64s, put_varint};
use crate::upgrade::LOG_HEAD;
use berth_raft::log_store::{Batch, HardState, Membership, SnapshotMeta};

/// The newest layout of the record. A form is one byte as long as there are fewer than 256 of them.
const LAYOUT: u8 = LOG_HEAD.newest as u8;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Counts writes.
    pub(super) sequence: u64,
    pub(super) hard_state: HardState,
    pub(super) membership: Membership,
    pub(super) snapshot: Option<SnapshotMeta>,
    /// Under which generation the snapshot's chunks are stored.
    pub(super) snapshot_generation: u64,
    pub(super) truncated_index: u64,
    pub(super) truncated_term: u64,
    /// The last entry's index; the floor's if there is none.
    pub(super) last_index: u64,
    /// The last chunk's link, so that no old chunk can stand in for a newer one.
    pub(super) link: u32,
}

// === impl Head ===

impl Head {
    /// The head of the next write.
    pub(super) fn next(&self, hard_state: Option<HardState>) -> Self {
        Self {
            sequence: self.sequence + 1,
            hard_state: hard_state.unwrap_or(self.hard_state),
            ..self.clone()
        }
    }

    /// A new commit index above the last entry would be a promise that this disk cannot keep.
    pub(super) fn check_promise(&self, batch: &Batch) -> Result<(), Error> {
        let (commit, last) = (self.hard_state.commit, self.last_index);
        if batch.hard_state.is_some() && commit > last {
            return Err(Error::misuse(format!(
                "a commit index of {commit} above the log's last index {last}"
            )));
        }
        Ok(())
    }

    /// Raises the floor. A lower one is already done; one above the last entry would make a hole.
    pub(super) fn compact_to(&mut self, (index, term): (u64, u64)) -> Result<(), Error> {
        if index <= self.truncated_index {
            return Ok(());
        }
        if index > self.last_index {
            let last = self.last_index;
            return Err(Error::misuse(format!(
                "a log floor of {index} above its last index {last}"
            )));
        }
        self.truncated_index = index;
        self.truncated_term = term;
        Ok(())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![LAYOUT];
        let HardState { term, vote, commit } = self.hard_state;
        for value in [self.sequence, term, vote, commit] {
            put_varint(&mut out, value);
        }
        put_membership(&mut out, &self.membership);
        out.push(u8::from(self.snapshot.is_some()));
        if let Some(meta) = &self.snapshot {
            for value in [meta.index, meta.term, meta.chunks.into(), meta.crc.into()] {
                put_varint(&mut out, value);
            }
            put_membership(&mut out, &meta.membership);
        }
        for value in [
            self.snapshot_generation,
            self.truncated_index,
            self.truncated_term,
            self.last_index,
        ] {
            put_varint(&mut out, value);
        }
        out.extend_from_slice(&self.link.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Input::new(bytes);
        if input.u8()? != LAYOUT {
            return None;
        }
        let sequence = input.varint()?;
        let hard_state = HardState {
            term: input.varint()?,
            vote: input.varint()?,
            commit: input.varint()?,
        };
        let membership = membership(&mut input)?;
        let snapshot = match input.u8()? {
            0 => None,
            _ => Some(snapshot(&mut input)?),
        };
        let head = Self {
            sequence,
            hard_state,
            membership,
            snapshot,
            snapshot_generation: input.varint()?,
            truncated_index: input.varint()?,
            truncated_term: input.varint()?,
            last_index: input.varint()?,
            link: input.u32()?,
        };
        input.end().map(|()| head)
    }
}

fn snapshot(input: &mut Input<'_>) -> Option<SnapshotMeta> {
    Some(SnapshotMeta {
        index: input.varint()?,
        term: input.varint()?,
        chunks: input.varint()?.try_into().ok()?,
        crc: input.varint()?.try_into().ok()?,
        membership: membership(input)?,
    })
}

fn put_membership(out: &mut Vec<u8>, membership: &Membership) {
    put_u64s(out, &membership.voters);
    put_u64s(out, &membership.learners);
    put_u64s(out, &membership.voters_outgoing);
    put_u64s(out, &membership.learners_next);
    out.push(u8::from(membership.auto_leave));
}

fn membership(input: &mut Input<'_>) -> Option<Membership> {
    Some(Membership {
        voters: input.u64s()?,
        learners: input.u64s()?,
        voters_outgoing: input.u64s()?,
        learners_next: input.u64s()?,
        auto_leave: input.u8()? != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_as_it_was_written() {
        // Hard state, membership, snapshot pointer and floor survive together.
        let membership = Membership {
            voters: vec![1, u64::MAX],
            learners: vec![3],
            voters_outgoing: vec![1, 2],
            learners_next: vec![],
            auto_leave: true,
        };
        let snapshot = Some(SnapshotMeta {
            index: 12,
            term: 3,
            membership: membership.clone(),
            chunks: 7,
            crc: u32::MAX,
        });
        let head = Head {
            sequence: 99,
            hard_state: HardState {
                term: 4,
                vote: 2,
                commit: 17,
            },
            membership,
            snapshot,
            snapshot_generation: 3,
            truncated_index: 10,
            truncated_term: 3,
            last_index: 20,
            link: 5,
        };
        let bytes = head.encode();
        assert_eq!(Head::decode(&bytes), Some(head));
        assert_eq!(
            Head::decode(&Head::default().encode()),
            Some(Head::default())
        );
        for length in 0..bytes.len() {
            assert_eq!(Head::decode(&bytes[..length]), None);
        }
    }
}
