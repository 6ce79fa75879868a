//! Choosing on the leader: which address, which node has one to spare, which ENI has room.
//!
//! A choice is made from a view that may be stale; the ledger decides. A wrong choice comes back as
//! [`crate::outcome::Refusal::Taken`] and is made again.

pub mod node;
pub mod vswitch;

pub use node::{NodeStock, Slot};
pub use vswitch::VSwitchPool;

use crate::address::Family;
use crate::row::VSwitch;
use std::net::IpAddr;

/// One address, or one of each family, IPv4 first.
pub type AddressSet = Vec<IpAddr>;

/// Which families an [`AddressSet`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Families {
    /// IPv4 is in it.
    pub v4: bool,
    /// IPv6 is in it.
    pub v6: bool,
}

// === impl Families ===

impl Families {
    /// What a vSwitch has: a bind takes all of them or none.
    pub fn of(vswitch: &VSwitch) -> Self {
        Self {
            v4: vswitch.ipv4.is_some(),
            v6: vswitch.ipv6.is_some(),
        }
    }

    /// One.
    pub fn only(family: Family) -> Self {
        Self {
            v4: family == Family::V4,
            v6: family == Family::V6,
        }
    }

    /// IPv4 first.
    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL.into_iter().filter(move |family| match family {
            Family::V4 => self.v4,
            Family::V6 => self.v6,
        })
    }
}
