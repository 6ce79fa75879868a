//! Claims by id and by name, and those with a time at which their policy fires.

use super::index::{Index, hash};
use super::slab::Slab;
use super::sorted::Sorted;
use crate::id::{ClaimId, ClaimName};
use crate::row::{Claim, ClaimState};
use std::sync::Arc;

/// All claims.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    rows: Slab<Arc<Claim>>,
    by_id: Sorted<ClaimId, u32>,
    by_name: Index,
    /// (release at, claim).
    due: Sorted<(u64, ClaimId), ()>,
}

fn name_hash(name: &ClaimName) -> u64 {
    hash(&[
        name.cluster.as_bytes(),
        name.namespace.as_bytes(),
        name.pod.as_bytes(),
    ])
}

fn release_at(claim: &Claim) -> Option<u64> {
    match claim.state {
        ClaimState::Held { release_at_ms, .. } => release_at_ms,
        ClaimState::Bound { .. } => None,
    }
}

// === impl Claims ===

impl Claims {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn get(&self, id: ClaimId) -> Option<&Arc<Claim>> {
        self.rows.get(*self.by_id.get(&id)?)
    }

    pub(crate) fn named(&self, name: &ClaimName) -> Option<&Arc<Claim>> {
        self.by_name
            .slots(name_hash(name))
            .filter_map(|slot| self.rows.get(slot))
            .find(|claim| claim.name == *name)
    }

    /// From an id on, in the order of their making.
    pub(crate) fn from(&self, id: ClaimId) -> impl Iterator<Item = &Arc<Claim>> {
        self.by_id
            .from(id)
            .filter_map(|(_, slot)| self.rows.get(*slot))
    }

    /// The first due first: (release at, claim).
    pub(crate) fn due(&self) -> impl Iterator<Item = (u64, ClaimId)> {
        self.due.iter().map(|(due, ())| due)
    }

    /// Puts or ends a claim.
    pub(crate) fn set(&mut self, id: ClaimId, after: Option<Arc<Claim>>) {
        let slot = self.by_id.get(&id).copied();
        let before = match (slot, after.clone()) {
            (Some(slot), Some(after)) => self.rows.replace(slot, after),
            (Some(slot), None) => {
                self.by_id.remove(&id);
                self.rows.remove(slot)
            }
            (None, Some(after)) => {
                self.by_id.insert(id, self.rows.insert(after));
                None
            }
            (None, None) => None,
        };
        let at = slot.or(self.by_id.get(&id).copied());
        self.reindex(at, before.as_deref(), after.as_deref());
    }

    fn reindex(&mut self, slot: Option<u32>, before: Option<&Claim>, after: Option<&Claim>) {
        let Some(slot) = slot else { return };
        if before.map(|claim| &claim.name) != after.map(|claim| &claim.name) {
            if let Some(before) = before {
                self.by_name.remove(name_hash(&before.name), slot);
            }
            if let Some(after) = after {
                self.by_name.insert(name_hash(&after.name), slot);
            }
        }
        if let Some(before) = before
            && let Some(at) = release_at(before)
        {
            self.due.remove(&(at, before.id));
        }
        if let Some(after) = after
            && let Some(at) = release_at(after)
        {
            self.due.insert((at, after.id), ());
        }
    }
}
