//! Attachments by key: the allocation, the tombstone of an earlier DEL, or both; and allocations by pod.

use super::addresses::CHUNK_DUE;
use super::index::{Index, hash};
use super::slab::Slab;
use super::sorted::Sorted;
use crate::id::{AttachmentKey, ClusterName, Namespace, PodName, PodUid};
use crate::row::{Allocation, Tombstone};
use std::sync::Arc;

/// What is known of one key. One pointer, so that a page of them is copied quickly.
#[derive(Clone, Debug)]
pub(crate) enum Attachment {
    Live(Arc<Allocation>),
    Gone(Arc<(Arc<AttachmentKey>, Tombstone)>),
    /// Bound again after a DEL.
    Again(Arc<(Arc<Allocation>, Tombstone)>),
}

/// All attachments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attachments {
    rows: Slab<Attachment>,
    pub(super) by_key: Index,
    pub(super) by_pod: Index,
    pub(super) by_uid: Index,
    /// (expires, hash of the key, slot).
    tombstones: Sorted<(u64, u64, u32), (), CHUNK_DUE>,
    live: usize,
}

pub(crate) fn key_hash(key: &AttachmentKey) -> u64 {
    hash(&[
        key.cluster.as_bytes(),
        key.network.as_bytes(),
        key.container.as_bytes(),
        key.interface.as_bytes(),
    ])
}

pub(super) fn pod_hash(cluster: &ClusterName, namespace: &Namespace, pod: &PodName) -> u64 {
    hash(&[cluster.as_bytes(), namespace.as_bytes(), pod.as_bytes()])
}

pub(super) fn uid_hash(cluster: &ClusterName, uid: &PodUid) -> u64 {
    hash(&[cluster.as_bytes(), uid.as_bytes()])
}

// === impl Attachment ===

impl Attachment {
    fn of(
        key: &Arc<AttachmentKey>,
        allocation: Option<Arc<Allocation>>,
        tombstone: Option<Tombstone>,
    ) -> Option<Self> {
        match (allocation, tombstone) {
            (Some(allocation), None) => Some(Self::Live(allocation)),
            (None, Some(tombstone)) => Some(Self::Gone(Arc::new((key.clone(), tombstone)))),
            (Some(allocation), Some(tombstone)) => {
                Some(Self::Again(Arc::new((allocation, tombstone))))
            }
            (None, None) => None,
        }
    }

    pub(crate) fn key(&self) -> &Arc<AttachmentKey> {
        match self {
            Self::Live(allocation) => &allocation.key,
            Self::Gone(gone) => &gone.0,
            Self::Again(again) => &again.0.key,
        }
    }

    pub(crate) fn allocation(&self) -> Option<&Arc<Allocation>> {
        match self {
            Self::Live(allocation) => Some(allocation),
            Self::Gone(_) => None,
            Self::Again(again) => Some(&again.0),
        }
    }

    pub(crate) fn tombstone(&self) -> Option<&Tombstone> {
        match self {
            Self::Live(_) => None,
            Self::Gone(gone) => Some(&gone.1),
            Self::Again(again) => Some(&again.1),
        }
    }
}

// === impl Attachments ===

impl Attachments {
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    pub(crate) fn tombstones_len(&self) -> usize {
        self.tombstones.len()
    }

    pub(crate) fn slot(&self, key: &AttachmentKey) -> Option<u32> {
        self.slot_hashed(key, key_hash(key))
    }

    fn slot_hashed(&self, key: &AttachmentKey, hash: u64) -> Option<u32> {
        self.by_key
            .slots(hash)
            .find(|slot| self.rows.get(*slot).is_some_and(|row| **row.key() == *key))
    }

    pub(crate) fn at(&self, slot: u32) -> Option<&Attachment> {
        self.rows.get(slot)
    }

    pub(crate) fn get(&self, key: &AttachmentKey) -> Option<&Attachment> {
        self.rows.get(self.slot(key)?)
    }

    /// All, in an order that means nothing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Attachment)> {
        self.rows.iter()
    }

    /// Puts or ends an allocation; the slot and what was there before come back.
    pub(crate) fn set_allocation(
        &mut self,
        key: &Arc<AttachmentKey>,
        after: Option<Arc<Allocation>>,
    ) -> (Option<u32>, Option<Arc<Allocation>>) {
        let hash = key_hash(key);
        let found = self.slot_hashed(key, hash);
        let row = found.and_then(|slot| self.rows.get(slot));
        let before = row.and_then(Attachment::allocation).cloned();
        let tombstone = row.and_then(Attachment::tombstone).cloned();
        let slot = self.put(hash, found, Attachment::of(key, after.clone(), tombstone));
        let at = slot.or(found);
        if let (Some(at), Some(allocation)) = (at, &before) {
            self.forget_pod(at, allocation);
        }
        if let (Some(at), Some(allocation)) = (at, &after) {
            self.know_pod(at, allocation);
        }
        (slot, before)
    }

    /// Puts or forgets a tombstone.
    pub(crate) fn set_tombstone(&mut self, key: &Arc<AttachmentKey>, after: Option<Tombstone>) {
        let hash = key_hash(key);
        let found = self.slot_hashed(key, hash);
        let row = found.and_then(|slot| self.rows.get(slot));
        let before = row
            .and_then(Attachment::tombstone)
            .map(|row| row.expires_at_ms);
        let allocation = row.and_then(Attachment::allocation).cloned();
        let expires = after.as_ref().map(|row| row.expires_at_ms);
        let slot = self.put(hash, found, Attachment::of(key, allocation, after));
        if let (Some(at), Some(expires)) = (found, before) {
            self.tombstones.remove(&(expires, hash, at));
        }
        if let (Some(at), Some(expires)) = (slot, expires) {
            self.tombstones.insert((expires, hash, at), ());
        }
    }

    fn put(&mut self, hash: u64, slot: Option<u32>, row: Option<Attachment>) -> Option<u32> {
        match (slot, row) {
            (Some(slot), Some(row)) => {
                self.rows.replace(slot, row);
                Some(slot)
            }
            (Some(slot), None) => {
                self.rows.remove(slot);
                self.by_key.remove(hash, slot);
                None
            }
            (None, Some(row)) => {
                let slot = self.rows.insert(row);
                self.by_key.insert(hash, slot);
                Some(slot)
            }
            (None, None) => None,
        }
    }

    fn know_pod(&mut self, slot: u32, allocation: &Allocation) {
        let Allocation { key, pod, .. } = allocation;
        self.live += 1;
        // Sandboxes without a name would all be neighbours.
        if !pod.name.as_str().is_empty() {
            let hash = pod_hash(&key.cluster, &pod.namespace, &pod.name);
            self.by_pod.insert(hash, slot);
        }
        if !pod.uid.as_str().is_empty() {
            self.by_uid.insert(uid_hash(&key.cluster, &pod.uid), slot);
        }
    }

    fn forget_pod(&mut self, slot: u32, allocation: &Allocation) {
        let Allocation { key, pod, .. } = allocation;
        self.live -= 1;
        // Sandboxes without a name would all be neighbours.
        if !pod.name.as_str().is_empty() {
            let hash = pod_hash(&key.cluster, &pod.namespace, &pod.name);
            self.by_pod.remove(hash, slot);
        }
        if !pod.uid.as_str().is_empty() {
            self.by_uid.remove(uid_hash(&key.cluster, &pod.uid), slot);
        }
    }

    /// The allocations of a pod's name, in an order that means nothing. The empty name is nobody's.
    pub(crate) fn of_pod(
        &self,
        cluster: &ClusterName,
        namespace: &Namespace,
        pod: &PodName,
    ) -> impl Iterator<Item = &Arc<Allocation>> {
        let slots = self.by_pod.slots(pod_hash(cluster, namespace, pod));
        self.allocations(slots).filter(move |row| {
            row.key.cluster == *cluster && row.pod.namespace == *namespace && row.pod.name == *pod
        })
    }

    /// The allocations of a pod's uid, in an order that means nothing.
    pub(crate) fn of_uid(
        &self,
        cluster: &ClusterName,
        uid: &PodUid,
    ) -> impl Iterator<Item = &Arc<Allocation>> {
        let slots = self.by_uid.slots(uid_hash(cluster, uid));
        self.allocations(slots)
            .filter(move |row| row.key.cluster == *cluster && row.pod.uid == *uid)
    }

    fn allocations(
        &self,
        slots: impl Iterator<Item = u32>,
    ) -> impl Iterator<Item = &Arc<Allocation>> {
        slots.filter_map(|slot| self.rows.get(slot)?.allocation())
    }

    /// Tombstones, the first to expire first: (expires, hash of the key, slot).
    pub(crate) fn tombstones(&self) -> impl Iterator<Item = (u64, u64, u32)> {
        self.tombstones.iter().map(|(due, ())| due)
    }
}
