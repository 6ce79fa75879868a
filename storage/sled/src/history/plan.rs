//! How new records become segments: small commits first make small segments, which are merged eight at a time, so that
//! a record is written again at most a few times and many tiny commits leave few keys.

use super::Record;
use super::segment::{Draft, SEGMENT_BYTES, Segment, size};
use super::state::State;
use std::sync::Arc;

/// This many neighbours of one rank become one of the next.
const MERGE_SEGMENTS: usize = 8;

/// From this size on a segment is complete.
const COMPLETE_BYTES: usize = SEGMENT_BYTES / 2;

/// Segments that go and segments that come, in one write.
pub(super) struct Plan {
    pub(super) removed: Vec<Arc<Segment>>,
    pub(super) added: Vec<Draft>,
}

/// Plans for records that follow each other and the revision before them. `close` when nothing will ever follow: then no segment
/// stays incomplete.
pub(super) fn plan(
    state: &State,
    records: Vec<Record>,
    chain_before: [u8; 32],
    close: bool,
) -> Plan {
    let mut plan = Plan {
        removed: Vec::new(),
        added: Vec::new(),
    };
    let Some(first) = records.first() else {
        return plan;
    };
    let mut young = young_before(state, first.revision);
    let mut records = records;
    let mut bytes: usize = records.iter().map(size).sum();
    let mut rank = 0;
    while bytes < COMPLETE_BYTES && !close {
        let equals = young
            .iter()
            .rev()
            .take_while(|segment| segment.header.rank == rank)
            .count();
        if equals + 1 < MERGE_SEGMENTS {
            break;
        }
        let neighbours = young.split_off(young.len() - equals);
        bytes += neighbours
            .iter()
            .map(|segment| segment.bytes())
            .sum::<usize>();
        plan.take(neighbours, &mut records);
        rank += 1;
    }
    if bytes >= COMPLETE_BYTES || close {
        plan.take(young, &mut records);
        rank = 0;
    }
    let chain_before = match plan.removed.first() {
        Some(segment) => segment.header.chain_before,
        None => chain_before,
    };
    plan.cut(records, chain_before, close, rank);
    plan
}

/// The incomplete segments that end right before a revision, oldest first.
fn young_before(state: &State, revision: u64) -> Vec<Arc<Segment>> {
    let mut before = Vec::new();
    let mut next = revision;
    for segment in state
        .young
        .range(..revision)
        .rev()
        .map(|(_, segment)| segment)
    {
        if segment.header.last + 1 != next {
            break;
        }
        next = segment.header.first;
        before.push(segment.clone());
    }
    before.reverse();
    before
}

// === impl Plan ===

impl Plan {
    /// Puts the records of older neighbours before the others.
    fn take(&mut self, neighbours: Vec<Arc<Segment>>, records: &mut Vec<Record>) {
        let older = neighbours
            .iter()
            .flat_map(|segment| segment.records.iter().cloned());
        records.splice(0..0, older.collect::<Vec<_>>());
        self.removed.splice(0..0, neighbours);
    }

    /// Cuts records into segments; only the last one may be incomplete.
    fn cut(&mut self, records: Vec<Record>, chain_before: [u8; 32], close: bool, rank: u8) {
        let mut chain_before = chain_before;
        let mut piece = Vec::new();
        let mut bytes = 0;
        for record in records {
            bytes += size(&record);
            piece.push(record);
            if bytes >= SEGMENT_BYTES {
                self.add(&mut piece, &mut chain_before, true, 0);
                bytes = 0;
            }
        }
        let complete = close || bytes >= COMPLETE_BYTES;
        self.add(&mut piece, &mut chain_before, complete, rank);
    }

    fn add(&mut self, piece: &mut Vec<Record>, chain: &mut [u8; 32], complete: bool, rank: u8) {
        if let Some(draft) = Draft::new(std::mem::take(piece), *chain, complete, rank) {
            *chain = draft.segment.header.chain_last;
            self.added.push(draft);
        }
    }
}
