//! Address arithmetic: subnets, ranges, what a network excludes by rule. Checked, never wrapping.

mod number;
mod range;
mod subnet;

pub use number::{MAPPED_LAST, address, number};
pub use range::merge;

use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// The addresses from `first` to `last`, both included, of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    /// The lowest.
    pub first: IpAddr,
    /// The highest; never below `first`.
    pub last: IpAddr,
}

/// One family of a vSwitch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subnet {
    /// The CIDR, without host bits.
    pub cidr: IpNet,
    /// The gateway told to pods; none = by the network's rule.
    pub gateway: Option<IpAddr>,
}

/// Which addresses a network excludes by rule (design §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetworkKind {
    /// Network, broadcast and the configured gateway.
    Routed,
    /// The first and the last three; the gateway is the third from the end.
    Vpc,
}

// === impl Family ===

impl Family {
    /// Both, IPv4 first.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        })
    }
}
