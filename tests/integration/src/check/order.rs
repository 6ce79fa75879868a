//! Real time and revisions agree: what ended before something else began is not newer than it.

use super::Violation;
use crate::record::{Answer, Call, Operation, Record};
use crate::replay::Replay;
use std::collections::BTreeMap;

/// What real time says of each operation's place.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// By operation: the newest revision of all that had ended before it began.
    floors: BTreeMap<u64, u64>,
    /// By operation: the oldest revision of all that began after it had ended.
    ceilings: BTreeMap<u64, u64>,
}

// === impl Order ===

impl Order {
    /// It took place at this revision or later.
    pub(super) fn floor(&self, operation: &Operation) -> u64 {
        self.floors.get(&operation.id).copied().unwrap_or(0)
    }

    /// It took place at this revision or earlier.
    pub(super) fn ceiling(&self, operation: &Operation, last: u64) -> u64 {
        self.ceilings
            .get(&operation.id)
            .copied()
            .unwrap_or(last)
            .min(last)
    }
}

/// Sweeps over the run.
pub(super) fn check(record: &Record, replay: &Replay, violations: &mut Vec<Violation>) -> Order {
    let order = Order {
        floors: floors(&record.operations),
        ceilings: ceilings(&record.operations),
    };
    for operation in &record.operations {
        let Some(revision) = operation.revision() else {
            continue;
        };
        let floor = order.floor(operation);
        // What made a revision of its own is newer than everything that was there.
        let own = match &operation.answer {
            Answer::Bound { created: true, .. } | Answer::Released { released: true, .. } => 1,
            _ => 0,
        };
        if revision < floor + own {
            let what = format!(
                "{operation:?} is older than revision {floor}, which was answered before it began"
            );
            let rule = match operation.call {
                Call::Read(_) => "R9 a read sees what was done before it",
                _ => "R9 real time and revisions agree",
            };
            violations.push(Violation::new(rule, what));
        }
        if revision > replay.last() {
            let what = format!("{operation:?}: the history ends at {}", replay.last());
            violations.push(Violation::new("R3 nothing acknowledged is lost", what));
        }
    }
    order
}

fn floors(operations: &[Operation]) -> BTreeMap<u64, u64> {
    let mut ended: Vec<(u64, u64)> = operations
        .iter()
        .filter_map(|operation| Some((operation.ended_us?, operation.revision()?)))
        .collect();
    ended.sort_unstable();
    let mut begun: Vec<&Operation> = operations.iter().collect();
    begun.sort_unstable_by_key(|operation| operation.began_us);
    let (mut newest, mut ended) = (0, ended.into_iter().peekable());
    let mut floors = BTreeMap::new();
    for operation in begun {
        while let Some((_, revision)) = ended.next_if(|(at, _)| *at < operation.began_us) {
            newest = newest.max(revision);
        }
        floors.insert(operation.id, newest);
    }
    floors
}

fn ceilings(operations: &[Operation]) -> BTreeMap<u64, u64> {
    let mut begun: Vec<(u64, u64)> = operations
        .iter()
        .filter_map(|operation| Some((operation.began_us, operation.revision()?)))
        .collect();
    begun.sort_unstable_by(|one, other| other.cmp(one));
    let mut ended: Vec<(u64, u64)> = operations
        .iter()
        .filter_map(|operation| Some((operation.ended_us?, operation.id)))
        .collect();
    ended.sort_unstable_by(|one, other| other.cmp(one));
    let (mut oldest, mut begun) = (u64::MAX, begun.into_iter().peekable());
    let mut ceilings = BTreeMap::new();
    for (at, id) in ended {
        while let Some((_, revision)) = begun.next_if(|(began, _)| *began > at) {
            oldest = oldest.min(revision);
        }
        ceilings.insert(id, oldest);
    }
    ceilings
}
