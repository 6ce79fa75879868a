//! Reads what an entry's commands will need before they are decided, stage by stage over all of them.
//!
//! Deciding walks from a hash to a bucket, a row, its key and its neighbours, and with a million rows each step waits
//! for the memory. Within a stage the reads of different commands do not depend on each other, so the processor waits
//! for many of them at once. It changes nothing, and what it finds is not used: leaving it out is only slower.

use super::attachments::{Attachment, key_hash, pod_hash, uid_hash};
use super::index::Index;
use super::{Ledger, Record};
use crate::address::number;
use crate::command::{Command, Proposal};
use crate::id::{AttachmentKey, Generation, NodeId, PodIdentity};
use crate::row::{AddressState, Allocation};
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;

/// More of them at once would push out of the processor's address cache what was just read for the first.
pub(super) const TOGETHER: usize = 64;
/// Fewer are not worth the trouble.
const MIN: usize = 8;

/// Where an allocation is, or will be, found.
struct Place<'a> {
    key: &'a AttachmentKey,
    pod: &'a PodIdentity,
    node: NodeId,
    address: Option<&'a IpAddr>,
    /// None = it will be the node's last.
    generation: Option<Generation>,
}

// === impl Ledger ===

impl Ledger {
    /// What ADDs and DELs need.
    pub(super) fn warm(&self, proposals: &[Proposal]) {
        if proposals.len() < MIN {
            return;
        }
        let live = self.warm_keys(proposals.iter().filter_map(key));
        let bound = proposals
            .iter()
            .filter_map(|proposal| match &proposal.command {
                Command::Bind(bind) => Some(Place {
                    key: &bind.key,
                    pod: &bind.pod,
                    node: bind.node,
                    address: bind.addresses.first(),
                    generation: None,
                }),
                _ => None,
            });
        self.warm_places(bound.chain(live.iter().map(|row| Place::of(row))).collect());
    }

    /// What rows of a snapshot need.
    pub(super) fn warm_records(&self, records: &[Record]) {
        if records.len() < MIN {
            return;
        }
        let mut keys = Vec::new();
        let mut places = Vec::new();
        for record in records {
            match record {
                Record::Allocation(row) => {
                    keys.push(&*row.key);
                    places.push(Place::of(row));
                }
                Record::Address {
                    state: AddressState::Bound { key, .. },
                    ..
                } => keys.push(key),
                Record::Tombstone { key, .. } => keys.push(key),
                _ => {}
            }
        }
        self.warm_keys(keys.into_iter());
        self.warm_places(places);
    }

    /// From keys to the allocations that are bound under them, with everything that is compared or written down.
    fn warm_keys<'a>(
        &self,
        keys: impl Iterator<Item = &'a AttachmentKey>,
    ) -> Vec<&Arc<Allocation>> {
        let attachments = &self.attachments;
        let hashes: Vec<u64> = keys.map(key_hash).collect();
        touch_index(&attachments.by_key, &hashes);
        let slots = |hash: &u64| attachments.by_key.slots(*hash).next();
        let slots: Vec<u32> = hashes.iter().filter_map(slots).collect();
        let rows: Vec<&Attachment> = slots
            .iter()
            .filter_map(|slot| attachments.at(*slot))
            .collect();
        let live: Vec<&Arc<Allocation>> = rows.iter().filter_map(|row| row.allocation()).collect();
        touch(&live, |row| row.generation.0);
        touch(&live, |row| {
            row.pod.uid.as_bytes().len() as u64 ^ row.bound_at_ms
        });
        touch(&live, |row| {
            u64::from(row.parameters[0]) ^ row.invoked_at_ms
        });
        touch(&live, |row| row.key.container.as_bytes().len() as u64);
        touch(&live, |row| row.key.interface.as_bytes().len() as u64);
        live
    }

    fn warm_places(&self, places: Vec<Place>) {
        let attachments = &self.attachments;
        let pods: Vec<u64> = places.iter().map(Place::pod_hash).collect();
        let uids: Vec<u64> = places.iter().map(Place::uid_hash).collect();
        touch_index(&attachments.by_pod, &pods);
        touch_index(&attachments.by_uid, &uids);
        touch(&places, |place| {
            let state = place.address.and_then(|at| self.addresses.get(number(*at)));
            u64::from(state.is_some())
        });
        let on_node = |place: &Place| Some((self.nodes.get(place.node)?, place.generation));
        let nodes: Vec<_> = places.iter().filter_map(on_node).collect();
        touch(&nodes, |(entry, _)| u64::from(entry.usage.allocations));
        touch(&nodes, |(entry, generation)| {
            let found = match generation {
                Some(generation) => entry.allocations.get(generation),
                None => entry.allocations.last(),
            };
            u64::from(found.is_some())
        });
    }
}

fn key(proposal: &Proposal) -> Option<&AttachmentKey> {
    match &proposal.command {
        Command::Bind(bind) => Some(&bind.key),
        Command::Release(release) => Some(&release.key),
        _ => None,
    }
}

fn touch_index(index: &Index, hashes: &[u64]) {
    touch(hashes, |hash| index.touch_bucket(*hash));
    touch(hashes, |hash| index.touch_entries(*hash));
}

/// One stage: reads that do not depend on each other.
fn touch<T>(items: &[T], read: impl Fn(&T) -> u64) {
    black_box(items.iter().fold(0, |sum: u64, item| sum ^ read(item)));
}

// === impl Place ===

impl<'a> Place<'a> {
    fn of(row: &'a Allocation) -> Self {
        Self {
            key: &row.key,
            pod: &row.pod,
            node: row.node,
            address: row.addresses.first(),
            generation: Some(row.generation),
        }
    }

    fn pod_hash(&self) -> u64 {
        pod_hash(&self.key.cluster, &self.pod.namespace, &self.pod.name)
    }

    fn uid_hash(&self) -> u64 {
        uid_hash(&self.key.cluster, &self.pod.uid)
    }
}
