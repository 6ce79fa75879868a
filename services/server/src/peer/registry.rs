//! Who is a member, by what store and under which name: what the ledger says, and before it says anything, the list
//! that the cluster was begun with. A replica that is behind takes the leader's word for those it does not know yet.

mod remembered;
mod told;

pub use remembered::Remembered;
pub use told::Told;

use super::{Address, Stranger};
use crate::engine::Registered;
use crate::planted::{self, Planted};
use berth_domain::id::{MemberId, Revision};
use berth_domain::row::Member;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;

/// One per process.
#[derive(Debug, Default)]
pub struct Registry {
    known: RwLock<Known>,
    told: Notify,
}

#[derive(Debug, Default)]
struct Known {
    /// Where the ledger was when they changed last.
    revision: Revision,
    /// By the ledger.
    registered: BTreeMap<MemberId, Arc<Member>>,
    /// By the leader, until the ledger is as far.
    told: Told,
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
            told: Notify::new(),
        }
    }

    /// What the ledger says now. Who was registered and is not any more is no member, list or not.
    pub fn update(&self, members: &Registered) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let rows = members.rows.iter();
        let now: BTreeMap<MemberId, Arc<Member>> =
            rows.map(|row| (row.id, Arc::clone(row))).collect();
        let before = std::mem::replace(&mut known.registered, now);
        let Known {
            registered, listed, ..
        } = &mut *known;
        listed.retain(|id, _| !before.contains_key(id) && !registered.contains_key(id));
        known.revision = members.revision;
        if known.told.is_old(members.revision) {
            known.told = Told::default();
        }
    }

    /// What the leader says. Nothing is taken from it that this replica's ledger knows better.
    pub fn tell(&self, told: Told) {
        {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if told.is_old(known.revision) || told.is_old(known.told.revision) {
                return;
            }
            known.told = told;
        }
        self.told.notify_one();
    }

    /// Until there are addresses by the leader's word that were not there before. For one caller.
    pub async fn is_told(&self) {
        self.told.notified().await;
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
            if let Some((address, registered)) = known.told.members.get(&member) {
                return match *registered == store {
                    true => Ok(address.name.clone()),
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
        let listed = known.listed.values().map(|(address, _)| address.clone());
        let told = known.told.members.values();
        let told = told.map(|(address, _)| address.clone());
        let registered = known.registered.values().map(|row| Address {
            member: row.id,
            name: row.name.to_string(),
            endpoint: row.peer_endpoint.clone(),
        });
        // Who knows better comes later.
        let all = listed.chain(told).chain(registered);
        let all: BTreeMap<MemberId, Address> =
            all.map(|address| (address.member, address)).collect();
        all.into_values().collect()
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

    pub(super) fn listed(id: u64) -> Address {
        Address {
            member: MemberId(id),
            name: format!("listed-{id}"),
            endpoint: endpoint(id),
        }
    }

    pub(super) fn registered(id: u64, store: u8) -> Arc<Member> {
        Arc::new(Member {
            id: MemberId(id),
            name: NodeName::new(&format!("registered-{id}")).expect("a name"),
            client_endpoint: endpoint(id),
            peer_endpoint: endpoint(id),
            store: [store; 16],
            stays_learner: false,
        })
    }

    pub(super) fn by_ledger(revision: u64, rows: &[Arc<Member>]) -> Registered {
        Registered {
            revision: Revision(revision),
            rows: rows.to_vec(),
        }
    }

    fn by_leader(revision: u64, members: &[(u64, u8)]) -> Told {
        let members = members.iter();
        let members = members.map(|(id, store)| (MemberId(*id), (listed(*id), [*store; 16])));
        Told {
            revision: Revision(revision),
            members: members.collect(),
        }
    }

    /// Promise: who is behind admits whom the leader named, out of the store that the leader named and no other, until its
    /// own ledger is as far; then its own ledger decides.
    #[test]
    fn the_leaders_word_holds_until_the_ledger_is_as_far() {
        let registry = Registry::new(&[]);
        registry.update(&by_ledger(5, &[registered(1, 1)]));
        let unknown = Err(Stranger::NoMember(MemberId(4)));
        assert_eq!(registry.admit(MemberId(4), [4; 16]), unknown);

        registry.tell(by_leader(9, &[(1, 9), (4, 4)]));
        assert_eq!(
            registry.admit(MemberId(4), [4; 16]).as_deref(),
            Ok("listed-4")
        );
        let wiped = registry.admit(MemberId(4), [5; 16]);
        assert_eq!(wiped, Err(Stranger::OtherStore(MemberId(4))));
        let own = registry.admit(MemberId(1), [1; 16]);
        assert_eq!(own.as_deref(), Ok("registered-1"), "the ledger knows it");
        assert_eq!(registry.addresses().len(), 2);
        registry.update(&by_ledger(6, &[registered(1, 1), registered(2, 2)]));
        assert!(registry.admit(MemberId(4), [4; 16]).is_ok(), "still behind");

        registry.update(&by_ledger(9, &[registered(1, 1)]));
        assert_eq!(registry.admit(MemberId(4), [4; 16]), unknown);
        registry.tell(by_leader(8, &[(4, 4)]));
        let late = registry.admit(MemberId(4), [4; 16]);
        assert_eq!(late, unknown, "the ledger is further than that leader was");
    }

    /// Promise: a registered member is admitted with its store only; with another it is told to --rejoin.
    #[test]
    fn a_registered_member_keeps_its_store() {
        let registry = Registry::new(&[]);
        registry.update(&by_ledger(1, &[registered(1, 1)]));
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
        registry.update(&by_ledger(1, &[registered(1, 1)]));
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
        registry.update(&by_ledger(1, &[registered(1, 1)]));
        registry.update(&by_ledger(2, &[]));
        assert_eq!(
            registry.admit(MemberId(1), [1; 16]),
            Err(Stranger::NoMember(MemberId(1)))
        );
        assert!(registry.stores().is_empty() && registry.addresses().is_empty());
    }
}
