//! What the run's administrator made: the vSwitches that addresses lie in.

use crate::record::{Call, Operation, Write};
use std::net::Ipv4Addr;

/// What the model needs to know beside the history.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// All of them.
    pub vswitches: Vec<VSwitch>,
}

/// A routed IPv4 vSwitch without a gateway: all but the first and the last address can be given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VSwitch {
    /// Its name.
    pub name: String,
    /// The first of its range.
    pub first: Ipv4Addr,
    /// How many addresses it has.
    pub size: u64,
    /// How long an address rests.
    pub cooling_ms: u64,
}

/// The network's own address and the broadcast address.
pub(super) const EXCLUDED: u64 = 2;

// === impl Rules ===

impl Rules {
    /// By what was asked of the server.
    pub fn of(operations: &[Operation]) -> Self {
        let vswitch = |operation: &Operation| match &operation.call {
            Call::Change {
                write:
                    Write::CreateVSwitch {
                        name,
                        cidr,
                        cooling_ms,
                    },
                ..
            } => VSwitch::new(name, cidr, *cooling_ms),
            _ => None,
        };
        let mut vswitches: Vec<VSwitch> = operations.iter().filter_map(vswitch).collect();
        vswitches.dedup();
        Self { vswitches }
    }

    /// Where an address lies.
    pub fn vswitch(&self, address: &str) -> Option<&VSwitch> {
        let address: Ipv4Addr = address.parse().ok()?;
        self.vswitches
            .iter()
            .find(|vswitch| vswitch.contains(address))
    }
}

// === impl VSwitch ===

impl VSwitch {
    /// None if the CIDR is not one of IPv4.
    pub fn new(name: &str, cidr: &str, cooling_ms: u64) -> Option<Self> {
        let (first, prefix) = cidr.split_once('/')?;
        let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
        Some(Self {
            name: name.to_owned(),
            first: first.parse().ok()?,
            size: 1 << (32 - prefix),
            cooling_ms,
        })
    }

    fn place(&self, address: Ipv4Addr) -> Option<u64> {
        u64::from(u32::from(address)).checked_sub(u64::from(u32::from(self.first)))
    }

    fn contains(&self, address: Ipv4Addr) -> bool {
        self.place(address).is_some_and(|place| place < self.size)
    }

    /// Whether it may be given out.
    pub fn gives_out(&self, address: &str) -> bool {
        let place = address.parse().ok().and_then(|address| self.place(address));
        place.is_some_and(|place| (1..self.size - 1).contains(&place))
    }
}
