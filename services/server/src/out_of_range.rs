//! Whether addresses that somebody asks for by name are ones that a vSwitch gives out; the refusal names the field and
//! the CIDRs. The ledger checks it again: here it is said in the caller's words, before anything is proposed.

use crate::failure::Failure;
use berth_domain::row::VSwitch;
use std::net::IpAddr;
use std::sync::Arc;

/// CIDRs that a refusal names; a sentence of more is not read.
const CIDRS_NAMED_MAX: usize = 8;

/// Each address lies in one of these vSwitches and is not excluded there; else the refusal that names `field`.
pub fn check<'a>(
    field: &'static str,
    addresses: &[IpAddr],
    vswitches: impl Iterator<Item = &'a Arc<VSwitch>> + Clone,
) -> Result<(), Failure> {
    for address in addresses.iter().copied() {
        let refused = |reason: String| Failure::OutOfRange {
            field,
            address,
            reason,
        };
        match vswitches.clone().find(|row| row.contains(address)) {
            None => return Err(refused(outside(vswitches))),
            Some(row) if row.excludes(address) => {
                let (name, cidrs) = (&row.name, cidrs(row));
                return Err(refused(format!(
                    "is excluded in vSwitch {name} ({cidrs}): ask for another, or for none"
                )));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn outside<'a>(vswitches: impl Iterator<Item = &'a Arc<VSwitch>> + Clone) -> String {
    let count = vswitches.clone().count();
    let named = vswitches.take(CIDRS_NAMED_MAX);
    let mut named: Vec<String> = named
        .map(|row| format!("{} {}", row.name, cidrs(row)))
        .collect();
    if count > CIDRS_NAMED_MAX {
        named.push(format!("{} more", count - CIDRS_NAMED_MAX));
    }
    match (count, named.join(", ")) {
        (0, _) => {
            "lies in no vSwitch: there is none, make one with `berthctl vswitch create`".into()
        }
        (1, named) => format!("lies outside vSwitch {named}"),
        (_, named) => format!("lies outside every vSwitch: {named}"),
    }
}

fn cidrs(row: &VSwitch) -> String {
    let subnets = [row.ipv4, row.ipv6].into_iter().flatten();
    let cidrs: Vec<String> = subnets.map(|subnet| subnet.cidr.to_string()).collect();
    cidrs.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::samples::{create_vswitch, ip};
    use berth_domain::Ledger;
    use berth_domain::command::Header;
    use berth_domain::id::ClusterId;

    fn ledger(vswitches: usize) -> Ledger {
        let mut ledger = Ledger::new(ClusterId::new("test").expect("a name"));
        for number in 0..vswitches {
            let (name, cidr) = (format!("v{number}"), format!("10.0.{number}.0/24"));
            let create = create_vswitch(&name, &cidr, 1_000);
            let header = Header {
                ledger_time_ms: 0,
                wall_time_ms: 0,
            };
            let answers = ledger.apply(&header, vec![create]).answers;
            assert!(answers[0].result.is_ok());
        }
        ledger
    }

    fn refused(vswitches: usize, address: &str) -> String {
        let ledger = ledger(vswitches);
        let rows: Vec<_> = ledger.vswitches().collect();
        match check("requested_addresses", &[ip(address)], rows.iter().copied()) {
            Ok(()) => String::new(),
            Err(failure) => failure.to_string(),
        }
    }

    /// Promise: what lies outside is refused with field and CIDRs, a few of many; what a vSwitch gives out is not.
    #[test]
    fn the_limit_is_named() {
        assert_eq!(refused(2, "10.0.1.9"), "");
        let one = refused(1, "10.9.9.9");
        assert_eq!(
            one,
            "requested_addresses: 10.9.9.9 lies outside vSwitch v0 10.0.0.0/24"
        );
        let two = refused(2, "10.9.9.9");
        assert!(
            two.ends_with("every vSwitch: v0 10.0.0.0/24, v1 10.0.1.0/24"),
            "{two}"
        );
        let many = refused(11, "10.99.9.9");
        assert!(
            many.contains("v7 10.0.7.0/24, 3 more") && !many.contains("v8"),
            "{many}"
        );
        assert!(refused(0, "10.9.9.9").contains("vswitch create"));
        let excluded = refused(2, "10.0.1.0");
        assert!(
            excluded.contains("excluded in vSwitch v1 (10.0.1.0/24)"),
            "{excluded}"
        );
    }
}
