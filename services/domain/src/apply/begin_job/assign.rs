//! Free addresses go onto an ENI that is in use.

use super::{begun, in_use, job, of_a_cloud, one_call, paired, reserve};
use crate::address::Family;
use crate::apply::{Context, Decided};
use crate::id::EniNumber;
use crate::ledger::nodes;
use crate::outcome::Refusal;
use crate::row::Work;
use std::net::IpAddr;

pub(super) fn decide(
    context: &Context,
    node: &nodes::Entry,
    eni: EniNumber,
    addresses: &[IpAddr],
) -> Decided {
    let eni = in_use(context, node.row.id, eni)?;
    let vswitch = of_a_cloud(context, eni.vswitch)?;
    one_call(addresses)?;
    paired(vswitch, addresses)?;
    let on_it = context.ledger.addresses_on(eni);
    for family in Family::ALL {
        let of = |at: &&IpAddr| Family::of(**at) == family;
        let come = addresses.iter().filter(of).count() as u32;
        let used = on_it.iter().filter(of).count() as u32;
        let capacity = node.row.addresses_per_eni;
        if come > 0 && used.saturating_add(come) > capacity {
            let eni = eni.number;
            return Err(Refusal::EniFull {
                eni,
                used,
                capacity,
            });
        }
    }
    let job = job(context, eni, Work::Assign, addresses.to_vec());
    let changes = reserve(context, vswitch, node, &job)?;
    Ok(begun(job, changes))
}
