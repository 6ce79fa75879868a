//! Addresses of vSwitches: which are free, who takes them, and who grabs them when they are given back.

use crate::simulator::eni::Eni;
use crate::simulator::ledger::What;
use crate::simulator::refusal::Refusal;
use crate::simulator::setup::VSwitch;
use crate::simulator::world::{Holder, World};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 addresses of a vSwitch that the cloud keeps: the first and the last three (VPC, "Plan networks").
const KEPT4: u32 = 4;
/// IPv6 addresses at the end of a vSwitch that the cloud keeps; the first one too.
const KEPT6_END: u128 = 9;
/// IPv6 addresses are picked among so many; a vSwitch's /64 cannot be searched.
const PICK6: u64 = 1 << 32;

// === impl VSwitch ===

impl VSwitch {
    /// First and last address that an ENI may have; none = it is too small for one.
    fn usable4(&self) -> Option<(u32, u32)> {
        let (first, last) = (
            u32::from(self.cidr.network()),
            u32::from(self.cidr.broadcast()),
        );
        (last - first >= KEPT4).then(|| (first + 1, last - 3))
    }

    /// Whether an ENI may have it.
    pub(super) fn may_have(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => {
                let wanted = u32::from(address);
                self.usable4()
                    .is_some_and(|(first, last)| (first..=last).contains(&wanted))
            }
            IpAddr::V6(address) => self.ipv6_cidr.is_some_and(|cidr| {
                let (first, last) = (u128::from(cidr.network()), u128::from(cidr.broadcast()));
                let wanted = u128::from(address);
                wanted > first && wanted <= last.saturating_sub(KEPT6_END)
            }),
        }
    }
}

// === impl World ===

impl World {
    pub(super) fn is_free(&self, vswitch: &str, address: IpAddr) -> bool {
        !self.holders.contains_key(&(vswitch.to_owned(), address))
    }

    /// IPv4 addresses of a vSwitch that somebody holds.
    pub(super) fn used4(&self, vswitch: &str) -> usize {
        let first = (vswitch.to_owned(), IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let last = (vswitch.to_owned(), IpAddr::V4(Ipv4Addr::BROADCAST));
        self.holders.range(first..=last).count()
    }

    /// `AvailableIpAddressCount`.
    pub(super) fn left4(&self, vswitch: &VSwitch) -> usize {
        let all = vswitch
            .usable4()
            .map_or(0, |(first, last)| (last - first + 1) as usize);
        all.saturating_sub(self.used4(&vswitch.id))
    }

    /// Up to so many free IPv4 addresses, from a place that the seed says on.
    pub(super) fn pick4(&mut self, vswitch: &VSwitch, count: usize) -> Vec<Ipv4Addr> {
        let Some((first, last)) = vswitch.usable4() else {
            return Vec::new();
        };
        let size = u64::from(last - first) + 1;
        let start = self.random.below(size);
        let at = |step: u64| Ipv4Addr::from(first + ((start + step) % size) as u32);
        let free = (0..size)
            .map(at)
            .filter(|address| self.is_free(&vswitch.id, IpAddr::V4(*address)));
        free.take(count).collect()
    }

    /// So many free IPv6 addresses; fewer only where the vSwitch has no IPv6.
    pub(super) fn pick6(&mut self, vswitch: &VSwitch, count: usize) -> Vec<Ipv6Addr> {
        let Some(cidr) = vswitch.ipv6_cidr else {
            return Vec::new();
        };
        let size = u128::from(cidr.broadcast()) - u128::from(cidr.network());
        let range = u64::try_from(size).unwrap_or(PICK6).min(PICK6);
        let mut start = self.random.below(range);
        let mut picked = Vec::new();
        for _ in 0..range.min(PICK6) {
            if picked.len() == count {
                break;
            }
            let address = Ipv6Addr::from(u128::from(cidr.network()) + u128::from(start));
            if vswitch.may_have(address.into()) && self.is_free(&vswitch.id, address.into()) {
                picked.push(address);
            }
            start = (start + 1) % range;
        }
        picked
    }

    /// Refuses an address that an ENI of this vSwitch cannot have, or that somebody has.
    pub(super) fn check_free(&self, vswitch: &VSwitch, address: IpAddr) -> Result<(), Refusal> {
        if !vswitch.may_have(address) {
            let message = format!(
                "The specified IP address {address} is not valid in the VSwitch {}.",
                vswitch.id
            );
            return Err(Refusal::new(400, "InvalidIp.Address", message));
        }
        if !self.is_free(&vswitch.id, address) {
            let message = format!("The specified IP address {address} has been assigned.");
            return Err(Refusal::new(400, "InvalidIp.IpAssigned", message));
        }
        Ok(())
    }

    pub(super) fn take(&mut self, eni: &Eni, address: IpAddr) {
        let holder = Holder::Eni(eni.id.clone());
        self.holders.insert((eni.vswitch.clone(), address), holder);
        let (vswitch, eni) = (eni.vswitch.clone(), Some(eni.id.clone()));
        self.ledger.did(
            self.now_ms,
            What::Taken {
                vswitch,
                address,
                eni,
            },
        );
    }

    /// Gives an address back. Somebody else may have it at once.
    pub(super) fn free(&mut self, vswitch: &str, address: IpAddr) {
        let vswitch = vswitch.to_owned();
        self.holders.remove(&(vswitch.clone(), address));
        self.ledger.did(
            self.now_ms,
            What::Freed {
                vswitch: vswitch.clone(),
                address,
            },
        );
        if self.random.chance(self.setup.faults.foreign_grab) {
            // Kept for at least a moment: an address that is grabbed is seen to be.
            let until = self.now_ms + self.setup.faults.foreign_hold_ms.max(1);
            self.holders
                .insert((vswitch.clone(), address), Holder::Foreign(until));
            self.ledger.did(
                self.now_ms,
                What::Taken {
                    vswitch,
                    address,
                    eni: None,
                },
            );
        }
    }
}
