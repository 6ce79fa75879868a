//! Where a node in a pool gets its addresses from: which jobs are to be begun for what its pods need.
//!
//! [`plan`] is a function of what there is and what is needed, and of nothing else; [`Supply`] remembers what was begun.

mod bring;
mod idle;
mod scene;
mod take_off;

#[cfg(test)]
mod tests;

pub(super) use idle::{Counts, Idle};
pub(super) use scene::{EniScene, Group, Scene};

use super::choice::Plan;
use crate::failure::Failure;
use berth_domain::id::*;
use berth_domain::row::{Change, Eni, EniKind, Job};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// ENIs of one node that are made at the same time.
pub(super) const CREATES_MAX: usize = 4;
/// Sets of addresses that one job brings: what one call of the cloud takes.
pub(super) const SETS_PER_JOB: u32 = 10;
/// An ENI is not deleted before this leader has known it for so long: what has just come is soon wanted again.
pub(super) const ENI_YOUNG_MS: u64 = 600_000;
/// A vSwitch that had nothing is not asked again before.
const DRY_MS: u64 = 5_000;
/// After a begin that the ledger refused.
const REFUSED_MS: u64 = 1_000;

/// A job that brings addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// With a new ENI.
    Create {
        /// In which vSwitch.
        vswitch: VSwitchId,
        /// What it is.
        kind: EniKind,
    },
    /// Onto an ENI that is there.
    Assign {
        /// In which vSwitch it is.
        vswitch: VSwitchId,
        /// Which.
        eni: EniNumber,
    },
}

/// What is to be begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Addresses come.
    Bring {
        /// Where.
        intent: Intent,
        /// How many sets.
        sets: u32,
        /// Nobody has any free: warm ones of other nodes are taken back.
        scarce: bool,
    },
    /// Warm addresses go.
    TakeOff {
        /// From which ENI.
        eni: EniNumber,
        /// Which; never its primary one.
        addresses: Vec<IpAddr>,
    },
    /// An ENI goes, with the warm addresses on it.
    Delete {
        /// Which.
        eni: EniNumber,
    },
}

/// Something that was begun and is not in the ledger yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// A job that brings addresses.
    Bring {
        /// Where.
        intent: Intent,
        /// How many sets.
        sets: u32,
        /// Asked of the vSwitch with the right to others' warm ones.
        scarce: bool,
    },
    /// A job that takes some away.
    Go {
        /// From which ENI.
        eni: EniNumber,
    },
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Supply {
    /// ADDs that wait for addresses on ENIs, and the vSwitches that would do.
    pub waiting: BTreeMap<Arc<AttachmentKey>, Vec<VSwitchId>>,
    /// By the number of their ask or proposal.
    pub beginning: BTreeMap<u64, Beginning>,
    /// vSwitches that had nothing free: until when, and whether others' warm ones were asked for too.
    dry: BTreeMap<VSwitchId, Dry>,
    /// The node's, as this actor was told, so that they fit what it was told of addresses: the term's view may be a turn ahead.
    pub enis: BTreeMap<EniNumber, Arc<Eni>>,
    /// As `enis`.
    pub jobs: BTreeMap<JobId, Arc<Job>>,
    /// Jobs of which it was said that pods wait for them.
    hurried: BTreeSet<JobId>,
    /// Nothing is begun before.
    rest_until_ms: u64,
    /// Since when this leader knows each ENI.
    known_since_ms: BTreeMap<EniNumber, u64>,
    /// What is warm, and for how long it has been.
    pub idle: Idle,
}

#[derive(Clone, Debug)]
struct Dry {
    until_ms: u64,
    /// Until then not even others' warm ones could be had.
    scarce_until_ms: u64,
    why: Failure,
}

/// Which warm addresses go back when others need them: from the emptiest ENIs, but what pods here wait for stays.
pub(super) fn yielded(scene: &Scene, vswitch: VSwitchId, sets: u32) -> Vec<Step> {
    take_off::yielded(scene, vswitch, sets)
}

/// What is to be begun now, in order.
pub(super) fn plan(scene: &Scene) -> Vec<Step> {
    let mut steps = bring::steps(scene);
    if steps.is_empty() {
        steps = take_off::steps(scene);
    }
    steps
}

// === impl Intent ===

impl Intent {
    pub fn vswitch(&self) -> VSwitchId {
        match self {
            Self::Create { vswitch, .. } | Self::Assign { vswitch, .. } => *vswitch,
        }
    }
}

// === impl Supply ===

impl Supply {
    /// Of a node with these.
    pub fn new(enis: Vec<Arc<Eni>>, jobs: Vec<Arc<Job>>) -> Self {
        let mut supply = Self::default();
        supply.refresh(enis, jobs);
        // Whoever led before has begun to warm it up.
        supply.idle = Idle::of_node(!supply.enis.is_empty());
        supply
    }

    /// Drawn anew.
    pub fn refresh(&mut self, enis: Vec<Arc<Eni>>, jobs: Vec<Arc<Job>>) {
        self.enis = enis.into_iter().map(|row| (row.number, row)).collect();
        self.jobs = jobs.into_iter().map(|row| (row.id, row)).collect();
    }

    /// An applied change; one of another node does nothing.
    pub fn observe(&mut self, node: NodeId, change: &Change) {
        match change {
            Change::Eni { number, after, .. } => {
                match after.as_ref().filter(|row| row.node == node) {
                    Some(row) => self.enis.insert(*number, Arc::clone(row)),
                    None => self.enis.remove(number),
                };
            }
            Change::Job { id, after, .. } => {
                match after.as_ref().filter(|row| row.node == node) {
                    Some(row) => self.jobs.insert(*id, Arc::clone(row)),
                    None => self.jobs.remove(id),
                };
            }
            _ => {}
        }
    }

    /// An ADD waits.
    pub fn wait(&mut self, key: &Arc<AttachmentKey>, plan: &Plan) {
        let ids = plan.candidates.iter().map(|row| row.id);
        self.waiting.insert(Arc::clone(key), ids.collect());
    }

    /// Jobs that bring addresses and do not know yet that pods wait for them; from now on they do.
    pub fn hurry(&mut self) -> Vec<JobId> {
        self.hurried.retain(|id| self.jobs.contains_key(id));
        let brings = self.jobs.values().filter(|job| job.work.brings());
        let brings = brings.map(|job| job.id);
        brings.filter(|id| self.hurried.insert(*id)).collect()
    }

    /// A vSwitch had nothing.
    pub fn dried(&mut self, vswitch: VSwitchId, scarce: bool, why: Failure, now_ms: u64) {
        let until_ms = now_ms + DRY_MS;
        let before = self.dry.get(&vswitch).map_or(0, |dry| dry.scarce_until_ms);
        let dry = Dry {
            until_ms,
            scarce_until_ms: if scarce { until_ms } else { before },
            why,
        };
        self.dry.insert(vswitch, dry);
    }

    /// A vSwitch gave something.
    pub fn flows(&mut self, vswitch: VSwitchId) {
        self.dry.remove(&vswitch);
    }

    /// The ledger refused a begin, or nobody knows.
    pub fn rest(&mut self, now_ms: u64) -> u64 {
        self.rest_until_ms = now_ms + REFUSED_MS;
        self.rest_until_ms
    }

    pub fn rests(&self, now_ms: u64) -> bool {
        now_ms < self.rest_until_ms
    }

    /// Whether a vSwitch has nothing free, and whether not even others' warm ones.
    pub fn is_dry(&self, vswitch: VSwitchId, now_ms: u64) -> (bool, bool) {
        let dry = self.dry.get(&vswitch);
        (
            dry.is_some_and(|dry| now_ms < dry.until_ms),
            dry.is_some_and(|dry| now_ms < dry.scarce_until_ms),
        )
    }

    /// Why one of these has nothing.
    pub fn why_dry(&self, vswitches: &[VSwitchId], now_ms: u64) -> Option<&Failure> {
        let dry = vswitches.iter().filter_map(|id| self.dry.get(id));
        let mut dry = dry.filter(|dry| now_ms < dry.until_ms);
        dry.next().map(|dry| &dry.why)
    }

    /// When something that rests may be tried again.
    pub fn next_try_ms(&self, now_ms: u64) -> Option<u64> {
        let dry = self.dry.values().map(|dry| dry.until_ms);
        let rest = std::iter::once(self.rest_until_ms);
        dry.chain(rest)
            .chain(self.idle.due_ms())
            .filter(|at_ms| *at_ms > now_ms)
            .min()
    }

    /// How long this leader has known an ENI; forgets those that are gone.
    pub fn know(&mut self, now_ms: u64) {
        let before = std::mem::take(&mut self.known_since_ms);
        let since = |number: &EniNumber| before.get(number).copied().unwrap_or(now_ms);
        let enis = self.enis.keys();
        self.known_since_ms = enis.map(|number| (*number, since(number))).collect();
    }

    pub fn age_ms(&self, eni: EniNumber, now_ms: u64) -> u64 {
        let since_ms = self.known_since_ms.get(&eni).copied();
        now_ms.saturating_sub(since_ms.unwrap_or(now_ms))
    }
}
