//! Ends a vSwitch that nothing uses.

use super::{Context, Decided, Decision};
use crate::command::DeleteVSwitch;
use crate::ledger::Counts;
use crate::outcome::{Outcome, Refusal};
use crate::row::Change;

/// Nobody is hurt if addresses in these states are forgotten.
const FORGETTABLE: [&str; 3] = ["free", "cooling", "excluded"];

pub(super) fn decide(context: &Context, command: &DeleteVSwitch) -> Decided {
    let ledger = context.ledger;
    let name = command.name.to_string();
    let Some(row) = ledger.vswitch_named(&command.name) else {
        return Err(Refusal::NotFound {
            what: "vSwitch",
            name,
        });
    };
    let in_use = |counts: &Counts| {
        let states = counts.families().flat_map(|(_, family)| family.states());
        states
            .filter(|(state, count)| *count > 0 && !FORGETTABLE.contains(state))
            .count()
            > 0
    };
    if let Some(counts) = ledger.counts(row.id).filter(|counts| in_use(counts)) {
        let by = counts.to_string();
        return Err(Refusal::InUse {
            what: "vSwitch",
            name,
            by,
        });
    }
    if let Some(pool) = ledger.pool_with(row.id) {
        let by = format!("node pool {}: take it out of the pool first", pool.name);
        return Err(Refusal::InUse {
            what: "vSwitch",
            name,
            by,
        });
    }
    let change = Change::VSwitch {
        id: row.id,
        before: Some(row.clone()),
        after: None,
    };
    Ok(Decision {
        changes: vec![change],
        outcome: Outcome::Done,
    })
}
