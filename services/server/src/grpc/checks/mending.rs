//! What mends a finding, on the wire and as a command: only these, and nothing else, can be asked for by `Repair`.

use crate::grpc::decode::{self, Decoded, invalid};
use crate::grpc::encode;
use berth_domain::command::{Command, Expire, Repair};
use berth_domain::id::{ClaimId, Generation};
use berth_domain::repair::{EXPIRE_ROWS, Finding};
use berth_proto::v1;
use berth_proto::v1::mending::Mending;

/// A finding as it is shown; none = it is mended by nothing that can be asked for.
pub(super) fn finding(finding: &Finding) -> Option<v1::Finding> {
    let mending = match &finding.command {
        Command::Repair(Repair::EndAllocation { key, generation }) => {
            Mending::EndAllocation(v1::EndAllocation {
                attachment: Some(encode::attachment(key)),
                generation: generation.0,
            })
        }
        Command::Repair(Repair::FreeAddress { address }) => Mending::FreeAddress(v1::FreeAddress {
            address: address.to_string(),
        }),
        Command::Repair(Repair::EndClaim { claim, generation }) => {
            Mending::EndClaim(v1::EndClaim {
                claim_id: claim.0,
                generation: generation.0,
            })
        }
        Command::Expire(_) => Mending::ExpireDue(v1::ExpireDue {}),
        _ => return None,
    };
    Some(v1::Finding {
        rule: finding.rule.to_owned(),
        what: finding.what.clone(),
        remedy: finding.remedy.to_owned(),
        mending: Some(v1::Mending {
            mending: Some(mending),
        }),
    })
}

/// What is asked for, as a command.
pub(super) fn command(mending: Option<v1::Mending>) -> Decoded<Command> {
    let mending = mending.and_then(|mending| mending.mending);
    let mending =
        mending.ok_or_else(|| invalid("mending", "is missing: take one of PlanRepair"))?;
    Ok(match mending {
        Mending::EndAllocation(end) => Command::Repair(Repair::EndAllocation {
            key: decode::attachment(end.attachment)?,
            generation: Generation(end.generation),
        }),
        Mending::FreeAddress(free) => Command::Repair(Repair::FreeAddress {
            address: decode::address("mending.address", &free.address)?,
        }),
        Mending::EndClaim(end) => Command::Repair(Repair::EndClaim {
            claim: ClaimId(end.claim_id),
            generation: Generation(end.generation),
        }),
        Mending::ExpireDue(_) => Command::Expire(Expire { limit: EXPIRE_ROWS }),
    })
}
