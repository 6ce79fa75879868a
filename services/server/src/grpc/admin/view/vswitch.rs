//! vSwitches, every state counted.

use super::{Page, page};
use crate::grpc::allocator::gateway;
use berth_domain::Ledger;
use berth_domain::address::{AddressRange, Family, NetworkKind, Subnet};
use berth_domain::id::VSwitchName;
use berth_domain::ledger::FamilyCounts;
use berth_domain::row::VSwitch;
use berth_proto::v1;
use std::net::IpAddr;

pub(in crate::grpc::admin) fn vswitch_named(
    ledger: &Ledger,
    name: &VSwitchName,
) -> Option<v1::VSwitch> {
    ledger.vswitch_named(name).map(|row| vswitch(ledger, row))
}

pub(in crate::grpc::admin) fn vswitches(
    ledger: &Ledger,
    after: u64,
    size: usize,
) -> Page<v1::VSwitch> {
    let rows = ledger.vswitches().filter(|row| row.id.0 > after);
    page(
        ledger,
        rows,
        size,
        |row| row.id.0,
        |row| Some(vswitch(ledger, row)),
    )
}

fn vswitch(ledger: &Ledger, row: &VSwitch) -> v1::VSwitch {
    let cidr = |subnet: Option<Subnet>| subnet.map(|subnet| subnet.cidr.to_string());
    let gateway = |subnet| gateway(subnet, row.kind).map(|gateway: IpAddr| gateway.to_string());
    let counts = ledger.counts(row.id);
    let families = counts.iter().flat_map(|counts| counts.families());
    v1::VSwitch {
        id: row.id.0,
        name: row.name.to_string(),
        zone: row.zone.to_string(),
        ipv4_cidr: cidr(row.ipv4).unwrap_or_default(),
        ipv6_cidr: cidr(row.ipv6).unwrap_or_default(),
        ipv4_gateway: gateway(row.ipv4).unwrap_or_default(),
        ipv6_gateway: gateway(row.ipv6).unwrap_or_default(),
        exclusions: row.excluded.iter().map(range).collect(),
        cooling_ms: row.cooling_ms,
        network_kind: match row.kind {
            NetworkKind::Routed => "routed".into(),
            NetworkKind::Vpc => "vpc".into(),
        },
        counts: families
            .map(|(family, counts)| state_counts(family, counts))
            .collect(),
        revision: ledger.revision().0,
        cloud_id: row
            .cloud
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
    }
}

fn range(range: &AddressRange) -> String {
    match range {
        AddressRange { first, last } if first == last => first.to_string(),
        AddressRange { first, last } => format!("{first}-{last}"),
    }
}

fn state_counts(family: Family, counts: &FamilyCounts) -> v1::StateCounts {
    let family = match family {
        Family::V4 => v1::AddressFamily::Ipv4,
        Family::V6 => v1::AddressFamily::Ipv6,
    };
    v1::StateCounts {
        family: family.into(),
        size: counts.size.to_string(),
        free: counts.free.to_string(),
        reserved: counts.reserved.to_string(),
        idle: counts.idle.to_string(),
        bound: counts.bound.to_string(),
        cooling: counts.cooling.to_string(),
        releasing: counts.releasing.to_string(),
        held: counts.held.to_string(),
        disputed: counts.disputed.to_string(),
        quarantined: counts.quarantined.to_string(),
        foreign: counts.foreign.to_string(),
        excluded: counts.excluded.to_string(),
    }
}
