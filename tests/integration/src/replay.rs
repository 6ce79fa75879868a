//! The history, replayed by a small model of its own: what was true at every revision, and whether each step was allowed.
//!
//! Knows the design's rules (§4, §6), not the ledger that keeps them: none of its code is used here.

mod rules;
mod state;
mod text;
mod timeline;

pub use rules::{Rules, VSwitch};
pub use state::{Allocation, Claim, HandOver};
pub use timeline::Timeline;

use crate::check::Violation;
use crate::record::{Counts, Group};
use state::State;
use std::collections::BTreeMap;

/// What was true when.
#[derive(Debug, Default)]
pub struct Replay {
    /// Every group, at the place of its revision less one.
    pub groups: Vec<Group>,
    /// By attachment key.
    pub allocations: BTreeMap<String, Timeline<Option<Allocation>>>,
    /// By address: the state in words.
    pub addresses: BTreeMap<String, Timeline<String>>,
    /// By claim name.
    pub claims: BTreeMap<String, Timeline<Option<Claim>>>,
    /// By attachment key: whether a DEL is remembered.
    pub tombstones: BTreeMap<String, Timeline<bool>>,
    /// By vSwitch: how many addresses are in each state.
    pub counts: BTreeMap<String, Timeline<Counts>>,
    /// Claims that went from a holder to the next one.
    pub hand_overs: Vec<HandOver>,
}

// === impl Replay ===

impl Replay {
    /// Replays one member's history from its beginning; every step that is not allowed is a violation.
    pub fn new(groups: &[Group], rules: &Rules, violations: &mut Vec<Violation>) -> Self {
        let mut replay = Self::default();
        let mut state = State::new(rules);
        for group in groups {
            let expected = replay.groups.len() as u64 + 1;
            if group.revision != expected {
                let what = format!("revision {} follows {}", group.revision, expected - 1);
                violations.push(Violation::new("H1 gap-free history", what));
                break;
            }
            check_times(replay.groups.last(), group, violations);
            state.apply(group, &mut replay, violations);
            replay.groups.push(group.clone());
        }
        replay
    }

    /// The last revision.
    pub fn last(&self) -> u64 {
        self.groups.len() as u64
    }

    /// The group of a revision.
    pub fn group(&self, revision: u64) -> Option<&Group> {
        let place = usize::try_from(revision.checked_sub(1)?).ok()?;
        self.groups.get(place)
    }

    /// What a key held at a revision.
    pub fn allocation(&self, key: &str, revision: u64) -> Option<&Allocation> {
        self.allocations.get(key)?.at(revision)?.as_ref()
    }
}

fn check_times(before: Option<&Group>, group: &Group, violations: &mut Vec<Violation>) {
    let Some(before) = before else { return };
    let revision = group.revision;
    if group.ledger_time_ms < before.ledger_time_ms {
        let what = format!("ledger time goes back at revision {revision}");
        violations.push(Violation::new("H6 times never go back", what));
    }
    if group.wall_time_ms < before.wall_time_ms {
        let what = format!("wall time goes back at revision {revision}");
        violations.push(Violation::new("H6 times never go back", what));
    }
    if group.chain == before.chain {
        let what = format!("the chain does not move at revision {revision}");
        violations.push(Violation::new("H3 hash chain", what));
    }
}
