//! The addresses a command names: whether they are ones that the vSwitch gives out, who has them, whether a node has room.

use super::{ADDRESSES_MAX, Context, invalid, recovering};
use crate::address::Family;
use crate::id::NodeId;
use crate::ledger::{Ledger, nodes};
use crate::outcome::Refusal;
use crate::row::{AddressState, Phase, VSwitch};
use std::net::IpAddr;

/// One address per family of the vSwitch, IPv4 first, both or none.
pub(super) fn families_complete(vswitch: &VSwitch, addresses: &[IpAddr]) -> Result<(), Refusal> {
    let given = addresses.iter().map(|address| Family::of(*address));
    if given.eq(vswitch.families()) {
        return Ok(());
    }
    let wanted: Vec<String> = vswitch
        .families()
        .map(|family| family.to_string())
        .collect();
    Err(invalid(
        "addresses",
        format!(
            "vSwitch {} gives one address of {} each",
            vswitch.name,
            wanted.join(" and ")
        ),
    ))
}

/// A list of a bounded length without repeats.
pub(super) fn distinct(addresses: &[IpAddr]) -> Result<(), Refusal> {
    if addresses.is_empty() || addresses.len() > ADDRESSES_MAX {
        let reason = format!(
            "has {} entries, 1 to {ADDRESSES_MAX} are allowed",
            addresses.len()
        );
        return Err(invalid("addresses", reason));
    }
    let mut sorted = addresses.to_vec();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(invalid("addresses", format!("{} is there twice", pair[0]))),
        None => Ok(()),
    }
}

/// The address is one that the vSwitch gives out.
pub(super) fn in_range(vswitch: &VSwitch, address: IpAddr) -> Result<(), Refusal> {
    let reason = match (vswitch.contains(address), vswitch.excludes(address)) {
        (true, false) => return Ok(()),
        (true, true) => "it is excluded",
        (false, _) => "it lies outside",
    };
    Err(Refusal::OutOfRange {
        address,
        vswitch: vswitch.name.clone(),
        reason,
    })
}

/// The address is free; what it was. Else it was taken meanwhile.
pub(super) fn free(context: &Context, address: IpAddr) -> Result<Option<AddressState>, Refusal> {
    match context.ledger.phase(address) {
        Phase::NeverUsed | Phase::Free => {
            recovering::none_open(context)?;
            Ok(context.ledger.address_state(address))
        }
        _ => Err(Refusal::Taken { address }),
    }
}

/// The refusal that names who has an address; none if it is free. For whoever asks for a specific one.
pub fn in_use(ledger: &Ledger, address: IpAddr) -> Option<Refusal> {
    let located = ledger.locate(address)?;
    let phase = Phase::of(located.state.as_ref());
    let node = |id: NodeId| match ledger.node(id) {
        Some(node) => format!("node {}", node.name),
        None => "a node that was removed".into(),
    };
    let holder = match located.state? {
        AddressState::Free { .. } => return None,
        AddressState::Excluded => {
            let vswitch = located.vswitch.name.clone();
            return Some(Refusal::OutOfRange {
                address,
                vswitch,
                reason: "it is excluded",
            });
        }
        AddressState::Bound { key, node: id, .. } => match ledger.allocation(&key) {
            Some(row) if row.pod.name.as_str().is_empty() => format!("{key} on {}", node(id)),
            Some(row) => format!("{}/{} on {}", row.pod.namespace, row.pod.name, node(id)),
            None => format!("{key} on {}", node(id)),
        },
        AddressState::Held { claim } | AddressState::Disputed { claim } => {
            match ledger.claim(claim) {
                Some(claim) => format!("claim {}", claim.name),
                None => format!("claim {claim}"),
            }
        }
        AddressState::Cooling { until_ms, .. } => {
            let left_ms = until_ms.saturating_sub(ledger.ledger_time_ms());
            format!("nobody, for another {left_ms} ms")
        }
        AddressState::Idle { node: id, .. }
        | AddressState::Reserved { node: id, .. }
        | AddressState::Releasing { node: Some(id), .. } => node(id),
        AddressState::Releasing { node: None, job } => {
            format!("job {job} of a node that was removed")
        }
        AddressState::Quarantined { .. } => match ledger.strays_at(address).next() {
            Some(stray) => format!("{} on {}, by that node's word", stray.key, node(stray.node)),
            None => "nobody known, until every node has said what lives there".into(),
        },
        AddressState::Foreign => "somebody else in the network".into(),
    };
    Some(Refusal::AddressInUse {
        address,
        state: phase.name(),
        holder,
    })
}

/// The node has room for addresses of a family: `come` more of them, `leave` fewer.
pub(super) fn room(
    entry: &nodes::Entry,
    family: Family,
    come: u32,
    leave: u32,
) -> Result<(), Refusal> {
    let node = &entry.row;
    let capacity = node.eni_slots.saturating_mul(node.addresses_per_eni);
    let used = entry.usage.family(family).total();
    let after = used.saturating_sub(leave).saturating_add(come);
    if capacity == 0 || come == 0 || after <= capacity {
        return Ok(());
    }
    Err(Refusal::NodeFull {
        node: node.name.clone(),
        used,
        capacity,
    })
}
