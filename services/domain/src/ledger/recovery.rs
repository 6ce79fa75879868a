//! The last recovery, and the sandboxes that live with addresses not their own, found by key and by address.

use crate::address::number;
use crate::id::{AttachmentKey, NodeId};
use crate::row::{Recovery, Stray};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

type Place = (Arc<AttachmentKey>, NodeId);

/// Small and rarely changed: plain maps, copied whole when a snapshot shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recoveries {
    pub(crate) last: Option<Arc<Recovery>>,
    strays: Arc<BTreeMap<Place, Arc<Stray>>>,
    by_address: Arc<BTreeMap<u128, BTreeSet<Place>>>,
}

// === impl Recoveries ===

impl Recoveries {
    /// The recovery that is open.
    pub(crate) fn open(&self) -> Option<&Arc<Recovery>> {
        self.last.as_ref().filter(|row| row.is_open())
    }

    pub(crate) fn set_owed(&mut self, node: NodeId, after: bool) {
        if let Some(row) = self.last.as_mut().map(Arc::make_mut) {
            row.owe(node, after);
        }
    }

    pub(crate) fn set_stray(
        &mut self,
        node: NodeId,
        key: &Arc<AttachmentKey>,
        after: Option<Arc<Stray>>,
    ) {
        let place = (key.clone(), node);
        let by_address = Arc::make_mut(&mut self.by_address);
        let strays = Arc::make_mut(&mut self.strays);
        if let Some(before) = strays.remove(&place) {
            for address in &before.addresses {
                let at = number(*address);
                let left = by_address.get_mut(&at);
                if left.is_some_and(|left| left.remove(&place) && left.is_empty()) {
                    by_address.remove(&at);
                }
            }
        }
        if let Some(after) = after {
            for address in &after.addresses {
                let here = by_address.entry(number(*address)).or_default();
                here.insert(place.clone());
            }
            strays.insert(place, after);
        }
    }

    /// All, by key and node.
    pub(crate) fn strays(&self) -> impl Iterator<Item = &Arc<Stray>> {
        self.strays.values()
    }

    pub(crate) fn strays_len(&self) -> usize {
        self.strays.len()
    }

    /// Those of a key, by node.
    pub(crate) fn of_key(&self, key: &AttachmentKey) -> impl Iterator<Item = &Arc<Stray>> {
        // Few: no allocation of a key only to look for it.
        let same = move |row: &&Arc<Stray>| *row.key == *key;
        self.strays.values().filter(same)
    }

    /// Those that use an address, by key and node.
    pub(crate) fn at(&self, address: IpAddr) -> impl Iterator<Item = &Arc<Stray>> {
        let places = self.by_address.get(&number(address)).into_iter().flatten();
        places.filter_map(|place| self.strays.get(place))
    }

    pub(crate) fn is_contested(&self, address: IpAddr) -> bool {
        !self.by_address.is_empty() && self.by_address.contains_key(&number(address))
    }
}
