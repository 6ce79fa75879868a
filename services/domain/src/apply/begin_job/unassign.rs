//! Idle addresses leave their ENI. What is bound, kept or resting never does: only idle ones are taken.

use super::{begun, in_use, job, one_call, take_back};
use crate::apply::{Context, Decided, invalid, recovering};
use crate::id::EniNumber;
use crate::ledger::nodes;
use crate::row::Work;
use std::net::IpAddr;

pub(super) fn decide(
    context: &Context,
    node: &nodes::Entry,
    eni: EniNumber,
    addresses: &[IpAddr],
) -> Decided {
    // Its node has not said whether it is warm still.
    recovering::none_open(context)?;
    let eni = in_use(context, node.row.id, eni)?;
    one_call(addresses)?;
    if addresses.contains(&eni.primary) {
        let reason = format!(
            "{} is the primary one, and goes with its ENI only",
            eni.primary
        );
        return Err(invalid("addresses", reason));
    }
    let job = job(context, eni, Work::Unassign, addresses.to_vec());
    let changes = take_back(context, eni, &job)?;
    Ok(begun(job, changes))
}
