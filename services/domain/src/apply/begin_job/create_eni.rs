//! A new ENI: its addresses are chosen here, its primary one among them.

use super::{begun, job, of_a_cloud, one_call, paired, reserve};
use crate::address::Family;
use crate::apply::{Context, Decided, invalid, security_groups};
use crate::id::{EniNumber, SecurityGroup, VSwitchId};
use crate::ledger::nodes;
use crate::outcome::Refusal;
use crate::row::{Change, Eni, EniKind, EniState, VSwitch, Work};
use std::net::IpAddr;
use std::sync::Arc;

/// What the plan says of it.
pub(super) struct Asked<'a> {
    pub(super) vswitch: VSwitchId,
    pub(super) kind: EniKind,
    pub(super) security_groups: &'a [SecurityGroup],
    pub(super) addresses: &'a [IpAddr],
}

pub(super) fn decide(context: &Context, node: &nodes::Entry, asked: &Asked) -> Decided {
    let vswitch = of_a_cloud(context, asked.vswitch)?;
    check_zone(node, vswitch)?;
    let security_groups = security_groups::sorted(asked.security_groups)?;
    one_call(asked.addresses)?;
    paired(vswitch, asked.addresses)?;
    check_slot(context, node, asked)?;
    let eni = Eni {
        number: EniNumber(context.revision.0),
        id: None,
        mac: None,
        node: node.row.id,
        vswitch: vswitch.id,
        kind: asked.kind,
        security_groups,
        primary: primary(asked.addresses)?,
        state: EniState::Planned,
    };
    let job = job(context, &eni, Work::CreateEni, asked.addresses.to_vec());
    let mut changes = reserve(context, vswitch, node, &job)?;
    changes.push(Change::Eni {
        number: eni.number,
        before: None,
        after: Some(Arc::new(eni)),
    });
    Ok(begun(job, changes))
}

fn check_zone(node: &nodes::Entry, vswitch: &VSwitch) -> Result<(), Refusal> {
    match node.row.zone == vswitch.zone {
        true => Ok(()),
        false => Err(invalid(
            "vswitch",
            format!(
                "{} is in zone {}, node {} in zone {}: an ENI cannot be attached across zones",
                vswitch.name, vswitch.zone, node.row.name, node.row.zone
            ),
        )),
    }
}

/// Every ENI counts until the cloud has forgotten it, also one that is only planned.
fn check_slot(context: &Context, node: &nodes::Entry, asked: &Asked) -> Result<(), Refusal> {
    let row = &node.row;
    let used = context.ledger.enis_of(row.id).count() as u32;
    if used >= row.eni_slots {
        return Err(Refusal::NoEniSlot {
            node: row.name.clone(),
            used,
            capacity: row.eni_slots,
        });
    }
    for family in Family::ALL {
        let come = asked
            .addresses
            .iter()
            .filter(|at| Family::of(**at) == family);
        let come = come.count() as u32;
        if come > row.addresses_per_eni {
            return Err(Refusal::EniFull {
                eni: EniNumber(context.revision.0),
                used: come,
                capacity: row.addresses_per_eni,
            });
        }
    }
    Ok(())
}

fn primary(addresses: &[IpAddr]) -> Result<IpAddr, Refusal> {
    match addresses.first() {
        Some(first) if first.is_ipv4() => Ok(*first),
        _ => Err(invalid(
            "addresses",
            "its first is the primary one, and has to be an IPv4",
        )),
    }
}
