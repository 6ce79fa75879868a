//! What a subnet spans, and what it keeps back by rule.

use super::{AddressRange, Family, NetworkKind, Subnet, address, number};
use ipnet::IpNet;
use std::net::IpAddr;

/// The cloud keeps the first address and the last three of a vSwitch.
const VPC_LAST: u128 = 3;

// === impl Subnet ===

impl Subnet {
    /// Its family.
    pub fn family(&self) -> Family {
        match self.cidr {
            IpNet::V4(_) => Family::V4,
            IpNet::V6(_) => Family::V6,
        }
    }

    /// Its first and last address as numbers.
    pub fn span(&self) -> (u128, u128) {
        match self.cidr {
            IpNet::V4(net) => (number(net.network().into()), number(net.broadcast().into())),
            IpNet::V6(net) => (number(net.network().into()), number(net.broadcast().into())),
        }
    }

    /// How many addresses it has, all of them counted.
    pub fn size(&self) -> u128 {
        let (first, last) = self.span();
        // At most 2^80: subnets larger than /48 are refused.
        last - first + 1
    }

    /// Whether the address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (first, last) = self.span();
        (first..=last).contains(&number(address))
    }

    /// The gateway that pods are told: the configured one; on a VPC the third address from the end.
    pub fn gateway(&self, kind: NetworkKind) -> Option<IpAddr> {
        match kind {
            NetworkKind::Routed => self.gateway,
            NetworkKind::Vpc => Some(address(self.span().1 - 2)),
        }
    }

    /// The addresses that are never given out by the network's rule, not sorted.
    ///
    /// Routed IPv4: network, broadcast, gateway; a /31 and a /32 have neither network nor broadcast (RFC 3021).
    /// Routed IPv6: the subnet-router anycast address (RFC 4291 §2.6.1; not in a /127 or /128, RFC 6164) and the gateway.
    /// VPC: the first and the last three, in both families.
    pub fn excluded_by_rule(&self, kind: NetworkKind) -> Vec<AddressRange> {
        let (first, last) = self.span();
        let one = |number| AddressRange::of(number, number);
        match (kind, self.cidr) {
            (NetworkKind::Vpc, _) => vec![one(first), AddressRange::of(last + 1 - VPC_LAST, last)],
            (NetworkKind::Routed, IpNet::V4(net)) => {
                let ends = [first, last].map(one).into_iter();
                let ends = ends.filter(|_| net.prefix_len() < 31);
                ends.chain(self.gateway.map(|at| one(number(at)))).collect()
            }
            (NetworkKind::Routed, IpNet::V6(net)) => {
                let anycast = Some(one(first)).filter(|_| net.prefix_len() < 127);
                let gateway = self.gateway.map(|at| one(number(at)));
                anycast.into_iter().chain(gateway).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::merge;

    fn usable(cidr: &str, gateway: Option<&str>, kind: NetworkKind) -> u128 {
        let subnet = Subnet {
            cidr: cidr.parse().expect("cidr"),
            gateway: gateway.map(|at| at.parse().expect("gateway")),
        };
        let excluded: u128 = merge(subnet.excluded_by_rule(kind))
            .iter()
            .map(AddressRange::size)
            .sum();
        subnet.size() - excluded
    }

    /// Promise: what is left of a subnet after the exclusions by rule (design §4), as a table.
    #[test]
    fn what_is_left() {
        use NetworkKind::{Routed, Vpc};
        let table: [(&str, Option<&str>, NetworkKind, u128); 12] = [
            ("10.0.0.0/24", None, Vpc, 252),
            ("10.0.0.0/29", None, Vpc, 4),
            ("10.0.0.0/24", None, Routed, 254),
            ("10.0.0.0/24", Some("10.0.0.1"), Routed, 253),
            ("10.0.0.0/31", None, Routed, 2),
            ("10.0.0.0/31", Some("10.0.0.0"), Routed, 1),
            ("10.0.0.7/32", None, Routed, 1),
            ("10.0.0.0/8", None, Routed, 16_777_214),
            ("fd00::/64", None, Routed, (1 << 64) - 1),
            ("fd00::/64", Some("fd00::1"), Routed, (1 << 64) - 2),
            ("fd00::/127", None, Routed, 2),
            ("fd00::/48", None, Vpc, (1 << 80) - 4),
        ];
        for (cidr, gateway, kind, left) in table {
            assert_eq!(
                usable(cidr, gateway, kind),
                left,
                "{cidr} {kind:?} {gateway:?}"
            );
        }
    }

    /// Promise: on a VPC the gateway is the third address from the end.
    #[test]
    fn the_gateway_of_a_vpc() {
        let subnet = Subnet {
            cidr: "10.0.0.0/24".parse().expect("cidr"),
            gateway: None,
        };
        assert_eq!(subnet.gateway(NetworkKind::Vpc), "10.0.0.253".parse().ok());
        assert_eq!(subnet.gateway(NetworkKind::Routed), None);
    }
}
