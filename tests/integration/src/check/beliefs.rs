//! What the pods believe, in real time: nobody else sends from an address while one does, nor too soon afterwards.

use super::Violation;
use crate::record::{Record, Use};
use crate::replay::{Replay, Rules};
use std::collections::BTreeMap;

/// Ledger time counts whole milliseconds at both ends.
const ROUNDING_US: u64 = 2_000;

pub(super) fn check(
    record: &Record,
    replay: &Replay,
    rules: &Rules,
    violations: &mut Vec<Violation>,
) {
    let mut by_address: BTreeMap<&str, Vec<&Use>> = BTreeMap::new();
    for one in &record.uses {
        by_address.entry(&one.address).or_default().push(one);
    }
    for (address, mut uses) in by_address {
        uses.sort_unstable_by_key(|one| one.from_us);
        let cooling_ms = rules
            .vswitch(address)
            .map_or(0, |vswitch| vswitch.cooling_ms);
        let mut newest: Option<&Use> = None;
        for one in uses {
            if let Some(before) = newest {
                violations.extend(between(before, one, cooling_ms));
            }
            let ends = |one: &Use| one.until_us.unwrap_or(u64::MAX);
            if newest.is_none_or(|before| ends(before) < ends(one)) {
                newest = Some(one);
            }
        }
    }
    for one in record.uses.iter().filter(|one| one.until_us.is_none()) {
        let held = replay.allocation(&one.key, replay.last());
        if !held.is_some_and(|held| held.addresses.contains(&one.address)) {
            let what = format!("{one:?} still uses what the ledger says is {held:?}");
            violations.push(Violation::new(
                "A2 an address in use stays its user's",
                what,
            ));
        }
    }
}

fn between(before: &Use, after: &Use, cooling_ms: u64) -> Option<Violation> {
    let ended = before.until_us.unwrap_or(u64::MAX);
    if before.key == after.key && after.from_us >= ended {
        return None;
    }
    if after.from_us < ended {
        let what = format!("{before:?} and {after:?}");
        return Some(Violation::new("A1 one user of an address at a time", what));
    }
    // A static address waits for its own hand-over, which the history shows.
    let is_static = before.is_static || after.is_static;
    let rested_us = after.from_us - ended + ROUNDING_US;
    (!is_static && rested_us < cooling_ms * 1_000).then(|| {
        let what = format!("{before:?} and {after:?}");
        Violation::new("A11 cooling is respected", what)
    })
}
