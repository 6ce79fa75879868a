//! Ranges of addresses: their size, and many made into sorted disjoint ones.

use super::{AddressRange, address, number};
use std::net::IpAddr;

/// Sorted, disjoint, and none touching the next of its family.
pub fn merge(mut ranges: Vec<AddressRange>) -> Vec<AddressRange> {
    ranges.sort();
    let mut merged: Vec<AddressRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(before) if before.reaches(&range) => before.last = before.last.max(range.last),
            _ => merged.push(range),
        }
    }
    merged
}

// === impl AddressRange ===

impl AddressRange {
    /// From one number to another, both of one family.
    pub fn of(first: u128, last: u128) -> Self {
        Self {
            first: address(first),
            last: address(last),
        }
    }

    /// How many addresses it has.
    pub fn size(&self) -> u128 {
        // A range over all of IPv6 is refused before it comes here: subnets have at most 2^80 addresses.
        number(self.last)
            .saturating_sub(number(self.first))
            .saturating_add(1)
    }

    /// Whether the address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        (number(self.first)..=number(self.last)).contains(&number(address))
    }

    /// Whether a range that does not begin before this one overlaps or touches it.
    fn reaches(&self, next: &Self) -> bool {
        self.first.is_ipv4() == next.first.is_ipv4()
            && number(next.first) <= number(self.last).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: &str, last: &str) -> AddressRange {
        AddressRange {
            first: first.parse().expect("first"),
            last: last.parse().expect("last"),
        }
    }

    /// Promise: overlapping and touching ranges become one, others stay apart, families never mix.
    #[test]
    fn merged_ranges() {
        let merged = merge(vec![
            range("fd00::", "fd00::1"),
            range("10.0.0.9", "10.0.0.20"),
            range("10.0.0.0", "10.0.0.3"),
            range("10.0.0.4", "10.0.0.5"),
            range("10.0.0.10", "10.0.0.11"),
            range("255.255.255.255", "255.255.255.255"),
        ]);
        let expected = vec![
            range("10.0.0.0", "10.0.0.5"),
            range("10.0.0.9", "10.0.0.20"),
            range("255.255.255.255", "255.255.255.255"),
            range("fd00::", "fd00::1"),
        ];
        assert_eq!(merged, expected);
        assert_eq!(
            merged.iter().map(AddressRange::size).sum::<u128>(),
            6 + 12 + 1 + 2
        );
    }
}
