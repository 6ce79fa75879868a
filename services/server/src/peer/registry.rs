//! Who is a member, by what store and under which name: what the ledger says, and before it says anything, the list
//! that the cluster was begun with.

use super::{Address, Stranger};
use crate::planted::{self, Planted};
use berth_domain::id::MemberId;
use berth_domain::row::Member;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// One per process.
#[derive(Debug, Default)]
pub struct Registry {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// By the ledger.
    registered: BTreeMap<MemberId, Arc<Member>>,
    /// By the list, with the store that each was first seen with: until it is registered it must keep to that.
    listed: BTreeMap<MemberId, (Address, Option<[u8; 16]>)>,
}

// === impl Registry ===

impl Registry {
    /// With the list.
    pub fn new(listed: &[Address]) -> Self {
        let listed = listed
            .iter()
            .map(|address| (address.member, (address.clone(), None)));
        let known = Known {
            listed: listed.collect(),
            ..Known::default()
        };
        Self {
            known: RwLock::new(known),
        }
    }

    /// What the ledger says now. Who was registered and is not any more is no member, list or not.
    pub fn update(&self, members: &[Arc<Member>]) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let Known { registered, listed } = &mut *known;
        let now: BTreeMap<MemberId, Arc<Member>> = members
            .iter()
            .map(|row| (row.id, Arc::clone(row)))
            .collect();
        for id in registered.keys().chain(now.keys()) {
            listed.remove(id);
        }
        *registered = now;
    }

    /// Its name, if this id is a member and this its store.
    pub fn admit(&self, member: MemberId, store: [u8; 16]) -> Result<String, Stranger> {
        if planted::has(Planted::TrustAnyStore) {
            return Ok(String::new());
        }
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(row) = known.registered.get(&member) {
                return match row.store == store {
                    true => Ok(row.name.to_string()),
                    false => Err(Stranger::OtherStore(member)),
                };
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let Some((address, seen)) = known.listed.get_mut(&member) else {
            return Err(Stranger::NoMember(member));
        };
        match *seen.get_or_insert(store) == store {
            true => Ok(address.name.clone()),
            false => Err(Stranger::OtherStore(member)),
        }
    }

    /// Where everybody is.
    pub fn addresses(&self) -> Vec<Address> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let registered = known.registered.values().map(|row| Address {
            member: row.id,
            name: row.name.to_string(),
            endpoint: row.peer_endpoint.clone(),
        });
        let listed = known.listed.values().map(|(address, _)| address.clone());
        registered.chain(listed).collect()
    }

    /// Where a registered member listens for clients; empty if it is not registered yet.
    pub fn client_endpoint(&self, member: MemberId) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let row = known.registered.get(&member);
        row.map(|row| row.client_endpoint.to_string())
            .unwrap_or_default()
    }

    /// It wants no vote.
    pub fn stays_learner(&self, member: MemberId) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let row = known.registered.get(&member);
        row.is_some_and(|row| row.stays_learner)
    }

    /// The registered stores, for raft.
    pub fn stores(&self) -> BTreeMap<u64, [u8; 16]> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known
            .registered
            .values()
            .map(|row| (row.id.0, row.store))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use berth_domain::id::{Endpoint, NodeName};

    fn endpoint(id: u64) -> Endpoint {
        Endpoint::new(&format!("http://h:{id}")).expect("short")
    }

    fn listed(id: u64) -> Address {
        Address {
            member: MemberId(id),
            name: format!("listed-{id}"),
            endpoint: endpoint(id),
        }
    }

    fn registered(id: u64, store: u8) -> Arc<Member> {
        Arc::new(Member {
            id: MemberId(id),
            name: NodeName::new(&format!("registered-{id}")).expect("a name"),
            client_endpoint: endpoint(id),
            peer_endpoint: endpoint(id),
            store: [store; 16],
            stays_learner: false,
        })
    }

    /// Promise: a registered member is admitted with its store only; with another it is told to --rejoin.
    #[test]
    fn a_registered_member_keeps_its_store() {
        let registry = Registry::new(&[]);
        registry.update(&[registered(1, 1)]);
        assert_eq!(
            registry.admit(MemberId(1), [1; 16]).as_deref(),
            Ok("registered-1")
        );
        let wiped = registry
            .admit(MemberId(1), [2; 16])
            .expect_err("another store");
        assert!(wiped.to_string().contains("--rejoin"));
        assert_eq!(
            registry.admit(MemberId(2), [1; 16]),
            Err(Stranger::NoMember(MemberId(2)))
        );
    }

    /// Promise: before it is registered a listed member keeps to the store that it was first seen with.
    #[test]
    fn a_listed_member_keeps_to_its_first_store() {
        let registry = Registry::new(&[listed(1), listed(2)]);
        assert_eq!(
            registry.admit(MemberId(1), [1; 16]).as_deref(),
            Ok("listed-1")
        );
        assert_eq!(
            registry.admit(MemberId(1), [9; 16]),
            Err(Stranger::OtherStore(MemberId(1)))
        );
        registry.update(&[registered(1, 1)]);
        assert_eq!(
            registry.admit(MemberId(1), [1; 16]).as_deref(),
            Ok("registered-1")
        );
        assert_eq!(
            registry.addresses().len(),
            2,
            "the other is still known by the list"
        );
    }

    /// Promise: a member that was removed is none any more, whatever the list says.
    #[test]
    fn a_removed_member_is_none() {
        let registry = Registry::new(&[listed(1)]);
        registry.update(&[registered(1, 1)]);
        registry.update(&[]);
        assert_eq!(
            registry.admit(MemberId(1), [1; 16]),
            Err(Stranger::NoMember(MemberId(1)))
        );
        assert!(registry.stores().is_empty() && registry.addresses().is_empty());
    }
}
