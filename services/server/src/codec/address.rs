//! Addresses, ranges and subnets.

use super::{Error, Wire, optional, required};
use berth_domain::address::{AddressRange, NetworkKind, Subnet};
use berth_proto::log::v1;
use bytes::Bytes;
use ipnet::IpNet;
use std::net::IpAddr;

// === impl IpAddr ===

impl Wire<v1::Address> for IpAddr {
    fn to_wire(&self) -> v1::Address {
        let octets = match self {
            Self::V4(address) => Bytes::copy_from_slice(&address.octets()),
            Self::V6(address) => Bytes::copy_from_slice(&address.octets()),
        };
        v1::Address { octets }
    }

    fn from_wire(message: v1::Address) -> Result<Self, Error> {
        let octets = message.octets.as_ref();
        if let Ok(four) = <[u8; 4]>::try_from(octets) {
            return Ok(Self::from(four));
        }
        let sixteen = <[u8; 16]>::try_from(octets);
        sixteen
            .map(Self::from)
            .map_err(|_| Error::Malformed { what: "address" })
    }
}

// === impl AddressRange ===

impl Wire<v1::AddressRange> for AddressRange {
    fn to_wire(&self) -> v1::AddressRange {
        v1::AddressRange {
            first: Some(self.first.to_wire()),
            last: Some(self.last.to_wire()),
        }
    }

    fn from_wire(message: v1::AddressRange) -> Result<Self, Error> {
        let (first, last) = (
            required(message.first, "first address of a range")?,
            required(message.last, "last address of a range")?,
        );
        let range = Self { first, last };
        if first.is_ipv4() != last.is_ipv4() || last < first {
            return Err(Error::Malformed {
                what: "address range",
            });
        }
        Ok(range)
    }
}

// === impl Subnet ===

impl Wire<v1::Subnet> for Subnet {
    fn to_wire(&self) -> v1::Subnet {
        v1::Subnet {
            network: Some(self.cidr.addr().to_wire()),
            prefix_length: u32::from(self.cidr.prefix_len()),
            gateway: self.gateway.as_ref().map(Wire::to_wire),
        }
    }

    fn from_wire(message: v1::Subnet) -> Result<Self, Error> {
        let network: IpAddr = required(message.network, "network of a subnet")?;
        let malformed = || Error::Malformed {
            what: "prefix length",
        };
        let length = u8::try_from(message.prefix_length).map_err(|_| malformed())?;
        Ok(Self {
            cidr: IpNet::new(network, length).map_err(|_| malformed())?,
            gateway: optional(message.gateway)?,
        })
    }
}

/// As it is stored: 0 = routed, 1 = vpc.
pub(crate) fn kind_number(kind: NetworkKind) -> u32 {
    match kind {
        NetworkKind::Routed => 0,
        NetworkKind::Vpc => 1,
    }
}

/// From what was stored.
pub(crate) fn kind(number: u32) -> Result<NetworkKind, Error> {
    match number {
        0 => Ok(NetworkKind::Routed),
        1 => Ok(NetworkKind::Vpc),
        other => Err(Error::Unknown {
            what: "network kind",
            number: other.into(),
        }),
    }
}
