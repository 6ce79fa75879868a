//! Who the members were when this replica was here last. A start knows the log only as far as it is certain to be committed,
//! and may know nobody by it; the list of the cluster's beginning need not be said again.

use super::{Registry, Told};
use crate::peer::Address;
use berth_domain::id::{Endpoint, MemberId, Revision};
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;
use uuid::Uuid;

/// As the note has it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// By the list that the cluster was begun with, and not registered yet.
    pub listed: Vec<Address>,
    /// By the ledger as it was.
    pub told: Told,
}

#[derive(Serialize, Deserialize)]
struct Text {
    cluster: String,
    revision: u64,
    members: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    id: u64,
    name: String,
    peer_endpoint: String,
    /// None = not registered yet.
    store: Option<String>,
}

// === impl Registry ===

impl Registry {
    /// A note of everybody, for [`Remembered::read`].
    pub fn noted(&self, cluster: &str) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let line = |address: &Address, store| Line {
            id: address.member.0,
            name: address.name.clone(),
            peer_endpoint: address.endpoint.to_string(),
            store,
        };
        let listed = known.listed.values();
        let listed = listed.map(|(address, _)| line(address, None));
        let registered = known.registered.values().map(|row| Line {
            id: row.id.0,
            name: row.name.to_string(),
            peer_endpoint: row.peer_endpoint.to_string(),
            store: Some(Uuid::from_bytes(row.store).to_string()),
        });
        let text = Text {
            cluster: cluster.to_owned(),
            revision: known.revision.0,
            members: listed.chain(registered).collect(),
        };
        serde_json::to_string_pretty(&text).unwrap_or_default() // names and numbers always fit
    }
}

// === impl Remembered ===

impl Remembered {
    /// Nobody, if it is another cluster's or of no form that this program reads: then it is as if there were none.
    pub fn read(note: &str, cluster: &str) -> Self {
        let Ok(text) = serde_json::from_str::<Text>(note) else {
            return Self::default();
        };
        let mut remembered = Self::default();
        if text.cluster != cluster {
            return remembered;
        }
        remembered.told.revision = Revision(text.revision);
        for line in text.members {
            let Ok(endpoint) = Endpoint::new(&line.peer_endpoint) else {
                continue;
            };
            let address = Address {
                member: MemberId(line.id),
                name: line.name,
                endpoint,
            };
            match line.store.map(|store| Uuid::parse_str(&store)) {
                None => remembered.listed.push(address),
                Some(Ok(store)) => {
                    let row = (address, store.into_bytes());
                    remembered.told.members.insert(row.0.member, row);
                }
                Some(Err(_)) => {}
            }
        }
        remembered
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{by_ledger, listed, registered};
    use super::*;

    /// Promise: what was noted is known again: who was registered with the store, who was only listed without one; another
    /// cluster's note, or one of another form, says nothing.
    #[test]
    fn a_note_is_read_as_it_was_written() {
        let registry = Registry::new(&[listed(1), listed(2), listed(3)]);
        registry.update(&by_ledger(7, &[registered(1, 1), registered(2, 2)]));
        let note = registry.noted("one");
        let again = Remembered::read(&note, "one");
        assert_eq!(again.listed, [listed(3)]);
        assert_eq!(again.told.revision, Revision(7));
        let stores = again.told.members.iter();
        let stores: Vec<_> = stores.map(|(id, row)| (id.0, row.1[0])).collect();
        assert_eq!(stores, [(1, 1), (2, 2)]);
        assert_eq!(Remembered::read(&note, "other"), Remembered::default());
        assert_eq!(Remembered::read("{}", "one"), Remembered::default());
    }
}
