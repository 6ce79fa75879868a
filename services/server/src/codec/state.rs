//! An address's state.

use super::{Error, Wire, eni, eni_text, required};
use berth_domain::id::*;
use berth_domain::row::AddressState;
use berth_proto::log::v1;
use berth_proto::log::v1::address_state::State;
use std::sync::Arc;

// === impl AddressState ===

impl Wire<v1::AddressState> for AddressState {
    fn to_wire(&self) -> v1::AddressState {
        let state = match self {
            Self::Free { since } => State::FreeSince(since.0),
            Self::Reserved { node, job } => State::ReservedBy(by_job(Some(*node), *job)),
            Self::Idle { node, eni } => State::Idle(at(Some(*node), eni)),
            Self::Bound {
                node,
                key,
                generation,
            } => State::Bound(bound_to(*node, key, *generation)),
            Self::Cooling {
                until_ms,
                node,
                eni,
            } => State::Cooling(v1::Cooling {
                until_ms: *until_ms,
                at: Some(at(*node, eni)),
            }),
            Self::Releasing { node, job } => State::ReleasingBy(by_job(*node, *job)),
            Self::Held { claim } => State::HeldClaim(claim.0),
            Self::Disputed { claim } => State::DisputedClaim(claim.0),
            Self::Quarantined { since } => State::QuarantinedSince(since.0),
            Self::Foreign => State::Foreign(v1::Unit {}),
            Self::Excluded => State::Excluded(v1::Unit {}),
        };
        v1::AddressState { state: Some(state) }
    }

    fn from_wire(message: v1::AddressState) -> Result<Self, Error> {
        Ok(
            match message.state.ok_or(Error::Missing("address state"))? {
                State::FreeSince(since) => Self::Free {
                    since: Revision(since),
                },
                State::ReservedBy(by) => Self::Reserved {
                    node: NodeId(by.node),
                    job: JobId(by.job),
                },
                State::Idle(at) => Self::Idle {
                    node: NodeId(at.node),
                    eni: eni(&at.eni)?,
                },
                State::Bound(to) => {
                    let (node, key, generation) = bound(to)?;
                    Self::Bound {
                        node,
                        key,
                        generation,
                    }
                }
                State::Cooling(cooling) => {
                    let at = cooling
                        .at
                        .ok_or(Error::Missing("place of a cooling address"))?;
                    Self::Cooling {
                        until_ms: cooling.until_ms,
                        node: (at.node > 0).then_some(NodeId(at.node)),
                        eni: eni(&at.eni)?,
                    }
                }
                State::ReleasingBy(by) => Self::Releasing {
                    node: (by.node > 0).then_some(NodeId(by.node)),
                    job: JobId(by.job),
                },
                State::HeldClaim(claim) => Self::Held {
                    claim: ClaimId(claim),
                },
                State::DisputedClaim(claim) => Self::Disputed {
                    claim: ClaimId(claim),
                },
                State::QuarantinedSince(since) => Self::Quarantined {
                    since: Revision(since),
                },
                // Without the job nobody could end it; no release wrote one.
                State::Reserved(_) => return Err(Error::Missing("job of a reserved address")),
                State::Releasing(_) => return Err(Error::Missing("job of a releasing address")),
                State::Foreign(_) => Self::Foreign,
                State::Excluded(_) => Self::Excluded,
            },
        )
    }
}

fn at(node: Option<NodeId>, eni: &Option<EniId>) -> v1::NodeEni {
    v1::NodeEni {
        node: node.map_or(0, |node| node.0),
        eni: eni_text(eni),
    }
}

fn by_job(node: Option<NodeId>, job: JobId) -> v1::ByJob {
    v1::ByJob {
        node: node.map_or(0, |node| node.0),
        job: job.0,
    }
}

/// Who has an address or a claim.
pub(super) fn bound_to(node: NodeId, key: &AttachmentKey, generation: Generation) -> v1::BoundTo {
    v1::BoundTo {
        node: node.0,
        key: Some(key.to_wire()),
        generation: generation.0,
    }
}

/// Who has an address or a claim.
pub(super) fn bound(to: v1::BoundTo) -> Result<(NodeId, Arc<AttachmentKey>, Generation), Error> {
    let key: AttachmentKey = required(to.key, "attachment key")?;
    Ok((NodeId(to.node), Arc::new(key), Generation(to.generation)))
}
