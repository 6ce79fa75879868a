//! What an attachment holds, on the wire: address, prefix length, gateway.

use crate::node::Allocated;
use berth_domain::address::{NetworkKind, Subnet};
use berth_domain::row::{Allocation, VSwitch};
use berth_proto::v1::{AllocateResponse, AssignedAddress};
use ipnet::IpNet;
use std::net::IpAddr;

pub(super) fn allocated(allocated: &Allocated) -> AllocateResponse {
    let claim = allocated.claim.as_ref();
    AllocateResponse {
        addresses: assigned(&allocated.allocation, &allocated.vswitch),
        generation: allocated.allocation.generation.0,
        revision: allocated.revision.0,
        claim: claim.map(ToString::to_string).unwrap_or_default(),
        created: allocated.created,
    }
}

/// All addresses of an allocation, IPv4 first.
pub(super) fn assigned(allocation: &Allocation, vswitch: &VSwitch) -> Vec<AssignedAddress> {
    let eni = allocation.eni.as_ref().map(ToString::to_string);
    let one = |address: &IpAddr| {
        let subnet = if address.is_ipv4() {
            vswitch.ipv4
        } else {
            vswitch.ipv6
        };
        AssignedAddress {
            address: address.to_string(),
            prefix_length: subnet.map_or(0, |subnet| u32::from(subnet.cidr.prefix_len())),
            gateway: gateway(subnet, vswitch.kind)
                .map(|gateway| gateway.to_string())
                .unwrap_or_default(),
            vswitch: vswitch.name.to_string(),
            eni: eni.clone().unwrap_or_default(),
        }
    };
    allocation.addresses.iter().map(one).collect()
}

/// The configured gateway; on a VPC without one, the third address from the end (design §4).
pub(in crate::grpc) fn gateway(subnet: Option<Subnet>, kind: NetworkKind) -> Option<IpAddr> {
    let subnet = subnet?;
    match (subnet.gateway, kind) {
        (Some(gateway), _) => Some(gateway),
        (None, NetworkKind::Vpc) => third_from_the_end(subnet.cidr),
        (None, NetworkKind::Routed) => None,
    }
}

fn third_from_the_end(cidr: IpNet) -> Option<IpAddr> {
    let gateway: IpAddr = match cidr {
        IpNet::V4(net) => u32::from(net.broadcast())
            .checked_sub(2)
            .map(|bits| IpAddr::V4(bits.into()))?,
        IpNet::V6(net) => u128::from(net.broadcast())
            .checked_sub(2)
            .map(|bits| IpAddr::V6(bits.into()))?,
    };
    cidr.contains(&gateway).then_some(gateway)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a VPC's gateway is the third address from the end; a routed network has one only if it is configured.
    #[test]
    fn the_gateway_follows_the_networks_rule() {
        let subnet = |cidr: &str, gateway: Option<&str>| {
            let gateway = gateway.map(|text| text.parse().expect("an address"));
            Some(Subnet {
                cidr: cidr.parse().expect("a cidr"),
                gateway,
            })
        };
        let text = |subnet, kind| gateway(subnet, kind).map(|gateway| gateway.to_string());
        assert_eq!(
            text(subnet("10.0.3.0/24", None), NetworkKind::Vpc).as_deref(),
            Some("10.0.3.253")
        );
        assert_eq!(
            text(subnet("fd00::/64", None), NetworkKind::Vpc).as_deref(),
            Some("fd00::ffff:ffff:ffff:fffd")
        );
        assert_eq!(text(subnet("10.0.3.0/31", None), NetworkKind::Vpc), None);
        assert_eq!(text(subnet("10.0.3.0/24", None), NetworkKind::Routed), None);
        let told = subnet("10.0.3.0/24", Some("10.0.3.1"));
        assert_eq!(text(told, NetworkKind::Vpc).as_deref(), Some("10.0.3.1"));
    }
}
