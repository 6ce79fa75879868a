//! The model's state, and one step of it.

use super::rules::{EXCLUDED, Rules};
use super::{Replay, text};
use crate::check::Violation;
use crate::record::{Counts, Group, Row};
use std::collections::{BTreeMap, BTreeSet};

/// What an attachment holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// IPv4 first.
    pub addresses: Vec<String>,
    /// "namespace/name"
    pub pod: String,
    /// Its name.
    pub node: String,
    /// The revision of the bind.
    pub generation: u64,
}

/// A claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its own.
    pub addresses: Vec<String>,
    /// "never"
    pub policy: String,
    /// Whether somebody lives there.
    pub bound: bool,
}

/// A claim that went from one holder to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// The claim's name.
    pub claim: String,
    /// When the old holder ended.
    pub released: u64,
    /// When the new one began.
    pub bound: u64,
}

/// Which state of an address may follow which (design §4, a routed network).
const STEPS: &[(&str, &[&str])] = &[
    ("never used", &["bound", "idle", "held"]),
    ("free", &["bound", "idle", "held"]),
    ("idle", &["free", "bound"]),
    ("bound", &["bound", "cooling", "held"]),
    ("cooling", &["free"]),
    ("held", &["bound", "cooling"]),
];

pub(super) struct State<'a> {
    rules: &'a Rules,
    /// Every row as it was last written.
    rows: BTreeMap<(String, String), String>,
    /// Which attachments have an address: one at most, if all is well.
    holders: BTreeMap<String, BTreeSet<String>>,
    /// Whose claim has an address.
    claimed: BTreeMap<String, String>,
    /// When a claim's last holder ended.
    held_since: BTreeMap<String, u64>,
    counts: BTreeMap<String, Counts>,
}

// === impl State ===

impl<'a> State<'a> {
    pub(super) fn new(rules: &'a Rules) -> Self {
        Self {
            rules,
            // A cluster begins at the first version, which is no row's change.
            rows: BTreeMap::from([(("cluster".into(), "version".into()), "1".into())]),
            holders: BTreeMap::new(),
            claimed: BTreeMap::new(),
            held_since: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    pub(super) fn apply(&mut self, group: &Group, replay: &mut Replay, bad: &mut Vec<Violation>) {
        let revision = group.revision;
        let mut touched = BTreeSet::new();
        for row in &group.rows {
            self.check_before(group, row, bad);
            match row.kind.as_str() {
                "address" => {
                    self.address(group, row, replay, bad);
                    touched.insert(row.key.clone());
                }
                "allocation" => self.allocation(revision, row, replay, bad),
                "claim" => self.claim(revision, row, replay, bad),
                "tombstone" => {
                    let line = replay.tombstones.entry(row.key.clone()).or_default();
                    line.set(revision, !row.after.is_empty());
                }
                "vswitch" => self.vswitch(revision, row, replay),
                _ => {}
            }
        }
        for address in touched {
            self.check_holder(revision, &address, replay, bad);
        }
    }

    /// A row's "before" is what was last written: the history replays (H2).
    fn check_before(&mut self, group: &Group, row: &Row, bad: &mut Vec<Violation>) {
        let key = (row.kind.clone(), row.key.clone());
        let never = if row.kind == "address" {
            "never used"
        } else {
            ""
        };
        let known = self.rows.get(&key).map_or(never, String::as_str);
        if known != row.before {
            let (revision, kind, name) = (group.revision, &row.kind, &row.key);
            let what = format!(
                "revision {revision} finds {kind} {name} {:?}, but it was {known:?}",
                row.before
            );
            bad.push(Violation::new("H2 the history replays", what));
        }
        match row.after.as_str() {
            "" => self.rows.remove(&key),
            after => self.rows.insert(key, after.to_owned()),
        };
    }

    fn address(&mut self, group: &Group, row: &Row, replay: &mut Replay, bad: &mut Vec<Violation>) {
        let (from, to) = (text::state(&row.before), text::state(&row.after));
        let (revision, address) = (group.revision, &row.key);
        let known = STEPS.iter().find(|(state, _)| *state == from);
        if !known.is_some_and(|(_, next)| next.contains(&to)) {
            let what = format!("{address} goes from {from} to {to} at revision {revision}");
            bad.push(Violation::new("A9 life of an address", what));
        }
        let vswitch = self.rules.vswitch(address);
        if !vswitch.is_some_and(|vswitch| vswitch.gives_out(address)) {
            let what = format!("{address} at revision {revision}");
            bad.push(Violation::new("A16 only what a vSwitch gives out", what));
        }
        let rest_ms = vswitch.map_or(0, |vswitch| vswitch.cooling_ms);
        let now_ms = group.ledger_time_ms;
        let cools = text::cooling_until(&row.after).map(|until| until < now_ms + rest_ms);
        let cooled = text::cooling_until(&row.before).map(|until| now_ms < until);
        if cools == Some(true) || (cooled == Some(true) && to != "cooling") {
            let what = format!("{address} at revision {revision}: {row:?} at {now_ms} ms");
            bad.push(Violation::new("A11 cooling is respected", what));
        }
        if let Some(vswitch) = vswitch {
            let counts = self.counts.entry(vswitch.name.clone()).or_default();
            count(counts, from, -1);
            count(counts, to, 1);
            let line = replay.counts.entry(vswitch.name.clone()).or_default();
            line.set(revision, *counts);
        }
        let line = replay.addresses.entry(address.clone()).or_default();
        line.set(revision, to.to_owned());
    }

    fn allocation(
        &mut self,
        revision: u64,
        row: &Row,
        replay: &mut Replay,
        bad: &mut Vec<Violation>,
    ) {
        let before = text::allocation(&row.before);
        let after = text::allocation(&row.after);
        let key = &row.key;
        for address in before.iter().flat_map(|before| &before.addresses) {
            if let Some(holders) = self.holders.get_mut(address) {
                holders.remove(key);
            }
        }
        if let Some(allocation) = &after {
            // A later ADD of the same sandbox is noted, and its bind stays the one that it was.
            if allocation.generation != revision && before.as_ref() != Some(allocation) {
                let what = format!("{key} is bound at {revision} with {allocation:?}");
                bad.push(Violation::new("H2 the history replays", what));
            }
            for address in &allocation.addresses {
                let holders = self.holders.entry(address.clone()).or_default();
                holders.insert(key.clone());
            }
        }
        let line = replay.allocations.entry(key.clone()).or_default();
        line.set(revision, after);
    }

    fn claim(&mut self, revision: u64, row: &Row, replay: &mut Replay, bad: &mut Vec<Violation>) {
        let name = &row.key;
        let (before, after) = (text::claim(&row.before), text::claim(&row.after));
        for address in before.iter().flat_map(|claim| &claim.addresses) {
            self.claimed.remove(address);
        }
        for address in after.iter().flat_map(|claim| &claim.addresses) {
            if let Some(other) = self.claimed.insert(address.clone(), name.clone()) {
                let what = format!("{address} is {other}'s and {name}'s at revision {revision}");
                bad.push(Violation::new("A3 a static address has one identity", what));
            }
        }
        let moved = before.as_ref().zip(after.as_ref());
        if moved.is_some_and(|(before, after)| before.addresses != after.addresses) {
            let what = format!("{name} has other addresses at revision {revision}");
            bad.push(Violation::new("A3 a static address stays", what));
        }
        let bound = |claim: &Option<Claim>| claim.as_ref().is_some_and(|claim| claim.bound);
        if bound(&before) && after.is_some() && !bound(&after) {
            self.held_since.insert(name.clone(), revision);
        }
        if let (false, true, Some(released)) =
            (bound(&before), bound(&after), self.held_since.get(name))
        {
            let (claim, released) = (name.clone(), *released);
            replay.hand_overs.push(HandOver {
                claim,
                released,
                bound: revision,
            });
        }
        if after.is_none() {
            self.held_since.remove(name);
        }
        replay
            .claims
            .entry(name.clone())
            .or_default()
            .set(revision, after);
    }

    fn vswitch(&mut self, revision: u64, row: &Row, replay: &mut Replay) {
        let Some(vswitch) = self
            .rules
            .vswitches
            .iter()
            .find(|known| known.name == row.key)
        else {
            return;
        };
        let counts = Counts {
            size: vswitch.size,
            free: vswitch.size - EXCLUDED,
            excluded: EXCLUDED,
            ..Counts::default()
        };
        self.counts.insert(row.key.clone(), counts);
        replay
            .counts
            .entry(row.key.clone())
            .or_default()
            .set(revision, counts);
    }

    /// A bound address has exactly the one allocation that names it, and a claim's address only the claim's own pod.
    fn check_holder(
        &self,
        revision: u64,
        address: &str,
        replay: &Replay,
        bad: &mut Vec<Violation>,
    ) {
        let state = replay
            .addresses
            .get(address)
            .and_then(super::Timeline::last);
        let bound = state.is_some_and(|state| state == "bound");
        let holders = self.holders.get(address).into_iter().flatten();
        let holders: Vec<&String> = holders.collect();
        if holders.len() != usize::from(bound) {
            let what =
                format!("{address} is {state:?} at revision {revision}, allocated to {holders:?}");
            bad.push(Violation::new("A1 one holder of an address", what));
        }
        let Some(claim) = self.claimed.get(address) else {
            return;
        };
        let own = claim.split_once('/').map(|(_, pod)| pod);
        let pods = holders
            .iter()
            .filter_map(|key| replay.allocation(key, revision));
        for pod in pods
            .map(|allocation| allocation.pod.as_str())
            .filter(|pod| own != Some(*pod))
        {
            let what = format!("{address} of {claim} goes to {pod} at revision {revision}");
            bad.push(Violation::new("A3 a static address has one identity", what));
        }
    }
}

fn count(counts: &mut Counts, state: &str, by: i64) {
    let field = match state {
        "idle" => &mut counts.idle,
        "bound" => &mut counts.bound,
        "cooling" => &mut counts.cooling,
        "held" => &mut counts.held,
        _ => &mut counts.free,
    };
    *field = field.saturating_add_signed(by);
}
