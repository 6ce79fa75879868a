//! What must be true, seen from outside: the history group by group, the answers, and what pods really use. Knows the
//! rows of the history by their form and nothing of how the ledger decides.

mod addresses;
mod answers;
mod claims;
mod entries;

use crate::answer::Sight;
use crate::call::Delivery;
use crate::fleet::Fleet;
use berth_domain::Ledger;
use berth_domain::event::{Chain, EventGroup};
use berth_domain::id::*;
use berth_domain::invariant;
use berth_domain::row::{Change, Policy};
use berth_raft::simulation::workload::Violation;
use berth_raft::start::BOOTSTRAP_INDEX;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What the history says of an address, as it was last.
#[derive(Clone, Debug)]
enum Standing {
    /// Some attachment holds it.
    Bound,
    /// Kept for a claim.
    Held,
    /// It was given back at this ledger time and not taken since.
    Released { at_ms: u64 },
}

/// A claim as the history made it.
#[derive(Clone, Debug)]
struct Kept {
    pod: PodName,
    addresses: Vec<IpAddr>,
    policy: Policy,
    /// Ledger time since which nobody holds it; none = somebody does.
    free_since_ms: Option<u64>,
    /// When it got its first holder, in moments.
    began_at: u64,
}

/// See the module.
#[derive(Clone)]
pub struct Oracle {
    /// The newest index that was seen applied anywhere.
    applied: u64,
    /// The state, by replaying the history alone (H2).
    shadow: Ledger,
    chains: BTreeMap<u64, Chain>,
    digests: BTreeMap<u64, [u8; 32]>,
    standing: BTreeMap<IpAddr, Standing>,
    claims: BTreeMap<ClaimId, Kept>,
    /// vSwitches by id: the addresses that may be given out, and how long they rest.
    networks: BTreeMap<VSwitchId, Network>,
    /// What each attachment held, by revision: its generation, or none.
    timelines: BTreeMap<AttachmentKey, Vec<(u64, Option<u64>)>>,
    /// (attachment, boot, invoked_at) of every bind: each happens once.
    binds: BTreeSet<(AttachmentKey, BootId, u64)>,
    /// The last DEL acknowledged of each attachment and boot.
    deleted: BTreeMap<(AttachmentKey, BootId), u64>,
    /// Binds by generation: what was committed.
    committed: BTreeMap<u64, (AttachmentKey, Vec<IpAddr>)>,
    /// Deliveries that changed something.
    effective: BTreeMap<Delivery, u64>,
    /// Deliveries that were told that nothing happened.
    refused: BTreeMap<Delivery, String>,
    /// Requests with an id: the first answer.
    requests: BTreeMap<RequestId, String>,
    /// The highest revision that anybody was told.
    pub floor: Revision,
    /// Claims that an administrator ends.
    pub given_up: BTreeSet<ClaimId>,
    /// How much was checked.
    pub counts: Counts,
    cooling_ms: u64,
}

/// A vSwitch as the administrator made it.
#[derive(Clone, Debug)]
struct Network {
    usable: BTreeSet<IpAddr>,
    families: usize,
}

/// How much was checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Entries seen for the first time.
    pub entries: u64,
    /// Event groups.
    pub groups: u64,
    /// Answers compared with the history.
    pub answers: u64,
    /// Reads compared with the history.
    pub reads: u64,
    /// Whole states checked by every rule.
    pub states: u64,
}

// === impl Oracle ===

impl Oracle {
    /// Nothing has happened.
    pub fn new(cluster: ClusterId, cooling_ms: u64) -> Self {
        Self {
            applied: 0,
            shadow: Ledger::new(cluster),
            chains: BTreeMap::new(),
            digests: BTreeMap::new(),
            standing: BTreeMap::new(),
            claims: BTreeMap::new(),
            networks: BTreeMap::new(),
            timelines: BTreeMap::new(),
            binds: BTreeSet::new(),
            deleted: BTreeMap::new(),
            committed: BTreeMap::new(),
            effective: BTreeMap::new(),
            refused: BTreeMap::new(),
            requests: BTreeMap::new(),
            floor: Revision(0),
            given_up: BTreeSet::new(),
            counts: Counts::default(),
            cooling_ms,
        }
    }

    /// A backup was restored: what the history had come to after it never was, and the recovery follows. What machines and
    /// callers know is still so: `asked` are the claims whose end an administrator goes on asking for.
    pub fn begin_anew(
        &mut self,
        backup: Self,
        asked: BTreeSet<ClaimId>,
        groups: &[EventGroup],
        fleet: &Fleet,
    ) -> Result<(), Violation> {
        let (deleted, counts) = (std::mem::take(&mut self.deleted), self.counts);
        *self = Self {
            deleted,
            counts,
            applied: BOOTSTRAP_INDEX,
            ..backup
        };
        // Ids are revisions, and the new cluster's are far beyond: no other claim gets one of these.
        self.given_up.extend(asked);
        for group in groups {
            self.chains.insert(group.revision.0, group.chain);
            if let Err(error) = self.shadow.replay(group) {
                return broken("H1", error.to_string());
            }
            self.group(group, fleet)?;
        }
        Ok(())
    }

    /// The state, by the history alone.
    pub fn ledger(&self) -> &Ledger {
        &self.shadow
    }

    /// An entry was applied somewhere; what its groups say, if it is the first time, which comes back.
    pub fn applied(
        &mut self,
        index: u64,
        groups: &[EventGroup],
        fleet: &Fleet,
    ) -> Result<bool, Violation> {
        for group in groups {
            let known = *self.chains.entry(group.revision.0).or_insert(group.chain);
            if known != group.chain {
                return broken("H3", format!("two chains at revision {}", group.revision));
            }
        }
        if index <= self.applied {
            return Ok(false);
        }
        self.applied = index;
        self.counts.entries += 1;
        for group in groups {
            self.counts.groups += 1;
            // H1: gap-free; H3: it hashes to its chain.
            if let Err(error) = self.shadow.replay(group) {
                return broken("H1", error.to_string());
            }
            self.group(group, fleet)?;
        }
        Ok(true)
    }

    fn group(&mut self, group: &EventGroup, fleet: &Fleet) -> Result<(), Violation> {
        invariant::steps_allowed(group).map_err(rule)?;
        invariant::cooled_down(group).map_err(rule)?;
        self.effect(group)?;
        for change in &group.changes {
            match change {
                Change::Allocation { key, before, after } => {
                    if after.is_none()
                        && let Some(before) = before
                    {
                        self.ended(group, before, fleet)?;
                    }
                    if let Some(after) = after {
                        self.bound(group, after, fleet)?;
                    }
                    let generation = after.as_ref().map(|row| row.generation.0);
                    let timeline = self.timelines.entry((**key).clone()).or_default();
                    timeline.push((group.revision.0, generation));
                }
                Change::VSwitch { id, after, .. } => self.network(*id, after.as_deref()),
                Change::Claim { id, before, after } => {
                    self.claim(group, *id, (before.as_deref(), after.as_deref()), fleet)?;
                }
                _ => {}
            }
        }
        for change in &group.changes {
            if let Change::Address { address, after, .. } = change {
                self.address(group, *address, after.as_ref())?;
            }
        }
        Ok(())
    }

    /// A replica's whole state: every rule about one, and the same as everybody's at that revision (R5, H2).
    pub fn state(&mut self, ledger: &Ledger) -> Result<(), Violation> {
        let revision = ledger.revision().0;
        if self.digests.contains_key(&revision) && revision != self.shadow.revision().0 {
            return self.same_digest(ledger);
        }
        self.counts.states += 1;
        if let Some(wrong) = invariant::check_all(ledger).into_iter().next() {
            return Err(rule(wrong));
        }
        if revision == self.shadow.revision().0 && self.shadow.digest() != ledger.digest() {
            return broken(
                "H2",
                format!("the history up to {revision} gives another state"),
            );
        }
        self.same_digest(ledger)
    }

    fn same_digest(&mut self, ledger: &Ledger) -> Result<(), Violation> {
        let (revision, digest) = (ledger.revision().0, ledger.digest());
        match *self.digests.entry(revision).or_insert(digest) == digest {
            true => Ok(()),
            false => broken("R5", format!("two states at revision {revision}")),
        }
    }

    /// What a read saw must have been so, and not before it began (R9); a stale one only the former (R10).
    pub fn saw(&mut self, sight: &Sight, floor: Option<Revision>) -> Result<(), Violation> {
        self.counts.reads += 1;
        if let Some(floor) = floor.filter(|floor| sight.revision < *floor) {
            return broken(
                "R9",
                format!(
                    "a read saw revision {}, {floor} was acknowledged before it began",
                    sight.revision
                ),
            );
        }
        let timeline = self
            .timelines
            .get(&sight.key)
            .map_or(&[][..], Vec::as_slice);
        let then = timeline
            .iter()
            .rev()
            .find(|(at, _)| *at <= sight.revision.0);
        let was = then.and_then(|(_, generation)| *generation);
        match was == sight.generation {
            true => Ok(()),
            false => broken(
                "R10",
                format!(
                    "{} at {}: {:?} was read, {was:?} is so",
                    sight.key, sight.revision, sight.generation
                ),
            ),
        }
    }

    /// The attachments that hold something, by the history.
    pub fn holding(&self) -> BTreeSet<AttachmentKey> {
        let held = self.timelines.iter();
        held.filter(|(_, timeline)| {
            timeline
                .last()
                .is_some_and(|(_, generation)| generation.is_some())
        })
        .map(|(key, _)| key.clone())
        .collect()
    }

    /// The last revision seen.
    pub fn revision(&self) -> u64 {
        self.shadow.revision().0
    }

    /// The claims there are, with their pods' names.
    pub fn claims(&self) -> impl Iterator<Item = (ClaimId, &PodName)> {
        self.claims.iter().map(|(id, kept)| (*id, &kept.pod))
    }

    /// The generation an attachment holds.
    pub fn generation(&self, key: &AttachmentKey) -> Option<u64> {
        self.timelines.get(key)?.last()?.1
    }

    /// A node by its name, as the history has it.
    pub fn node(&self, name: &NodeName) -> Option<NodeId> {
        self.shadow.node_named(name).map(|row| row.id)
    }

    /// A vSwitch by its name, as the history has it.
    pub fn vswitch(&self, name: &VSwitchName) -> Option<VSwitchId> {
        self.shadow.vswitch_named(name).map(|row| row.id)
    }
}

fn rule(violation: invariant::Violation) -> Violation {
    Violation::new(violation.id, violation.what)
}

fn broken<T>(id: &'static str, text: impl Into<String>) -> Result<T, Violation> {
    Err(Violation::new(id, text))
}
