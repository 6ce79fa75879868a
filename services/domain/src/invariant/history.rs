//! Rules about the history: A18, H1, H2, H3.

use super::{Violation, violation};
use crate::event::Chain;
use crate::event::{EventGroup, chained};
use crate::id::Revision;
use crate::ledger::Ledger;

/// H1, H3: groups follow each other without a gap, times never go back, and each hashes to its chain. `before` is what
/// the groups begin after; the end of them comes back.
pub fn chain_follows(
    before: (Revision, Chain),
    groups: &[EventGroup],
) -> Result<(Revision, Chain), Violation> {
    let (mut revision, mut chain) = before;
    let mut time_ms = (0, 0);
    let mut scratch = Vec::new();
    for group in groups {
        if !group.follows(revision) {
            return violation("H1", format!("{} follows {revision}", group.revision));
        }
        if group.changes.is_empty() {
            return violation("H1", format!("group {} changes nothing", group.revision));
        }
        let now = (group.ledger_time_ms, group.wall_time_ms);
        if now.0 < time_ms.0 || now.1 < time_ms.1 {
            return violation("H1", format!("time goes back at {}", group.revision));
        }
        if chained(&chain, group, &mut scratch) != group.chain {
            return violation(
                "H3",
                format!("group {} does not hash to its chain", group.revision),
            );
        }
        (revision, chain, time_ms) = (group.revision, group.chain, now);
    }
    Ok((revision, chain))
}

/// H2: a ledger with the groups since then replayed is the ledger as it is now.
pub fn replays(start: &Ledger, groups: &[EventGroup], now: &Ledger) -> Result<(), Violation> {
    let mut replayed = start.clone();
    for group in groups {
        if let Err(error) = replayed.replay(group) {
            return violation("H2", error.to_string());
        }
    }
    match replayed.digest() == now.digest() {
        true => Ok(()),
        false => violation(
            "H2",
            format!("the history up to {} gives another state", now.revision()),
        ),
    }
}

/// A18: two ledgers that applied the same are the same.
pub fn same_apply(one: &Ledger, other: &Ledger) -> Result<(), Violation> {
    match one.revision() == other.revision() && one.digest() == other.digest() {
        true => Ok(()),
        false => violation(
            "A18",
            format!(
                "revisions {} and {} of the same log differ",
                one.revision(),
                other.revision()
            ),
        ),
    }
}
