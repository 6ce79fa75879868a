//! One address: in which vSwitch, and what it is if it was never used.

use berth_domain::Ledger;
use berth_domain::id::ClaimId;
use berth_domain::row::{AddressState, Allocation};
use berth_proto::v1;
use std::net::IpAddr;

/// What is known of an address whatever its history says.
pub(in crate::grpc::admin) struct Known {
    /// The vSwitch's name; empty = none has it.
    pub vswitch: String,
    /// Its state as long as nobody has used it: free, excluded, or none where no vSwitch has it.
    pub never_used: v1::AddressState,
    /// The revision of this answer.
    pub revision: u64,
}

pub(in crate::grpc::admin) fn address(ledger: &Ledger, address: IpAddr) -> Known {
    let vswitch = ledger.vswitch_containing(address);
    let never_used = match vswitch {
        None => v1::AddressState::Unspecified,
        Some(row) if row.excludes(address) => v1::AddressState::Excluded,
        Some(_) => v1::AddressState::Free,
    };
    Known {
        vswitch: vswitch.map(|row| row.name.to_string()).unwrap_or_default(),
        never_used,
        revision: ledger.revision().0,
    }
}

/// The name of the claim that an address was held for, or whose allocation had it; its id if it is gone.
pub(in crate::grpc::admin) fn claim_of(
    ledger: &Ledger,
    state: Option<&AddressState>,
    allocation: Option<&Allocation>,
) -> String {
    let id = match state {
        Some(AddressState::Held { claim } | AddressState::Disputed { claim }) => Some(*claim),
        _ => allocation.and_then(|row| row.claim),
    };
    let name = |id: ClaimId| match ledger.claim(id) {
        Some(claim) => claim.name.to_string(),
        None => format!("claim {id} (ended)"),
    };
    id.map(name).unwrap_or_default()
}
