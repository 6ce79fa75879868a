//! Address arithmetic: subnets, ranges, what a network excludes by rule. Checked, never wrapping.

use ipnet::IpNet;
use std::net::IpAddr;

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
