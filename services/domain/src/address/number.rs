//! An address as one number: IPv4 stands at its IPv4-mapped place (RFC 4291 §2.5.5.2), so that both families share one order.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const MAPPED: u128 = 0xffff_0000_0000;
/// IPv6 subnets below this are refused, so no IPv6 address has the number of an IPv4 one.
pub const MAPPED_LAST: u128 = 0xffff_ffff_ffff;

/// The number of an address.
pub fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => MAPPED | u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address with this number.
pub fn address(number: u128) -> IpAddr {
    match number >> 32 {
        0xffff => IpAddr::V4(Ipv4Addr::from_bits(number as u32)),
        _ => IpAddr::V6(Ipv6Addr::from_bits(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: an address is its number and back, in both families, and the order is the addresses'.
    #[test]
    fn there_and_back() {
        let texts = [
            "0.0.0.0",
            "10.0.0.1",
            "255.255.255.255",
            "2001:db8::1",
            "fd00::ffff:1",
        ];
        let addresses: Vec<IpAddr> = texts
            .iter()
            .map(|text| text.parse().expect("address"))
            .collect();
        for address in &addresses {
            assert_eq!(super::address(number(*address)), *address);
        }
        assert!(addresses.is_sorted_by_key(|address| number(*address)));
    }
}
