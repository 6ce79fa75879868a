//! The ledger's rows, and the outcome that a request's row holds.

use super::address::{kind, kind_number};
use super::pool::{cloud, cloud_text, pool, pool_number};
use super::state::{bound, bound_to};
use super::{Error, Wire, eni, eni_text, fixed, list, optional, required, wires};
use berth_domain::id::*;
use berth_domain::outcome::Outcome;
use berth_domain::row::*;
use berth_domain::version::ClusterVersion;
use berth_proto::log::v1;
use berth_proto::log::v1::claim_row::State as ClaimPart;
use berth_proto::log::v1::outcome::Outcome as OutcomePart;
use bytes::Bytes;
use std::sync::Arc;

impl<M, T: Wire<M>> Wire<M> for Arc<T> {
    fn to_wire(&self) -> M {
        T::to_wire(self)
    }

    fn from_wire(message: M) -> Result<Self, Error> {
        T::from_wire(message).map(Arc::new)
    }
}

impl Wire<v1::VSwitchRow> for VSwitch {
    fn to_wire(&self) -> v1::VSwitchRow {
        v1::VSwitchRow {
            id: self.id.0,
            name: self.name.as_str().to_owned(),
            zone: self.zone.as_str().to_owned(),
            ipv4: self.ipv4.as_ref().map(Wire::to_wire),
            ipv6: self.ipv6.as_ref().map(Wire::to_wire),
            excluded: wires(&self.excluded),
            cooling_ms: self.cooling_ms,
            network_kind: kind_number(self.kind),
            cloud: cloud_text(&self.cloud),
        }
    }

    fn from_wire(message: v1::VSwitchRow) -> Result<Self, Error> {
        Ok(Self {
            id: VSwitchId(message.id),
            name: VSwitchName::new(&message.name)?,
            zone: Zone::new(&message.zone)?,
            ipv4: optional(message.ipv4)?,
            ipv6: optional(message.ipv6)?,
            excluded: list(message.excluded)?,
            cooling_ms: message.cooling_ms,
            kind: kind(message.network_kind)?,
            cloud: cloud(&message.cloud)?,
        })
    }
}

impl Wire<v1::NodeRow> for Node {
    fn to_wire(&self) -> v1::NodeRow {
        v1::NodeRow {
            id: self.id.0,
            name: self.name.as_str().to_owned(),
            identity: self.identity.as_str().to_owned(),
            zone: self.zone.as_str().to_owned(),
            instance_type: self.instance_type.as_str().to_owned(),
            eni_slots: self.eni_slots,
            addresses_per_eni: self.addresses_per_eni,
            warm_target: self.warm_target,
            pool: pool_number(self.pool),
        }
    }

    fn from_wire(message: v1::NodeRow) -> Result<Self, Error> {
        Ok(Self {
            id: NodeId(message.id),
            name: NodeName::new(&message.name)?,
            identity: NodeIdentity::new(&message.identity)?,
            zone: Zone::new(&message.zone)?,
            instance_type: InstanceType::new(&message.instance_type)?,
            eni_slots: message.eni_slots,
            addresses_per_eni: message.addresses_per_eni,
            warm_target: message.warm_target,
            pool: pool(message.pool),
        })
    }
}

impl Wire<v1::AllocationRow> for Allocation {
    fn to_wire(&self) -> v1::AllocationRow {
        v1::AllocationRow {
            key: Some(self.key.to_wire()),
            generation: self.generation.0,
            node: self.node.0,
            boot_id: self.boot.as_str().to_owned(),
            invoked_at_ms: self.invoked_at_ms,
            pod: Some(self.pod.to_wire()),
            vswitch: self.vswitch.0,
            eni: eni_text(&self.eni),
            addresses: wires(&self.addresses),
            claim: self.claim.map_or(0, |claim| claim.0),
            parameters: Bytes::copy_from_slice(&self.parameters),
            bound_at_ms: self.bound_at_ms,
            bound_wall_ms: self.bound_wall_ms,
        }
    }

    fn from_wire(message: v1::AllocationRow) -> Result<Self, Error> {
        Ok(Self {
            key: required(message.key, "attachment key")?,
            generation: Generation(message.generation),
            node: NodeId(message.node),
            boot: BootId::new(&message.boot_id)?,
            invoked_at_ms: message.invoked_at_ms,
            pod: required(message.pod, "pod")?,
            vswitch: VSwitchId(message.vswitch),
            eni: eni(&message.eni)?,
            addresses: list(message.addresses)?,
            claim: (message.claim > 0).then_some(ClaimId(message.claim)),
            parameters: fixed(&message.parameters, "parameters")?,
            bound_at_ms: message.bound_at_ms,
            bound_wall_ms: message.bound_wall_ms,
        })
    }
}

impl Wire<v1::ClaimRow> for Claim {
    fn to_wire(&self) -> v1::ClaimRow {
        v1::ClaimRow {
            id: self.id.0,
            name: Some(self.name.to_wire()),
            vswitch: self.vswitch.0,
            addresses: wires(&self.addresses),
            policy: Some(self.policy.to_wire()),
            generation: self.generation.0,
            state: Some(self.state.to_wire()),
        }
    }

    fn from_wire(message: v1::ClaimRow) -> Result<Self, Error> {
        Ok(Self {
            id: ClaimId(message.id),
            name: required(message.name, "claim name")?,
            vswitch: VSwitchId(message.vswitch),
            addresses: list(message.addresses)?,
            policy: required(message.policy, "policy")?,
            state: required(message.state, "claim state")?,
            generation: Generation(message.generation),
        })
    }
}

impl Wire<ClaimPart> for ClaimState {
    fn to_wire(&self) -> ClaimPart {
        match self {
            Self::Held {
                since_ms,
                settled_at_ms,
                release_at_ms,
            } => ClaimPart::Held(v1::ClaimHeld {
                since_ms: *since_ms,
                settled_at_ms: *settled_at_ms,
                releases: release_at_ms.is_some(),
                release_at_ms: release_at_ms.unwrap_or(0),
            }),
            Self::Bound {
                key,
                generation,
                node,
            } => ClaimPart::Bound(bound_to(*node, key, *generation)),
        }
    }

    fn from_wire(message: ClaimPart) -> Result<Self, Error> {
        Ok(match message {
            ClaimPart::Held(held) => Self::Held {
                since_ms: held.since_ms,
                settled_at_ms: held.settled_at_ms,
                release_at_ms: held.releases.then_some(held.release_at_ms),
            },
            ClaimPart::Bound(to) => {
                let (node, key, generation) = bound(to)?;
                Self::Bound {
                    key,
                    generation,
                    node,
                }
            }
        })
    }
}

impl Wire<v1::MemberRow> for Member {
    fn to_wire(&self) -> v1::MemberRow {
        v1::MemberRow {
            id: self.id.0,
            name: self.name.as_str().to_owned(),
            client_endpoint: self.client_endpoint.as_str().to_owned(),
            peer_endpoint: self.peer_endpoint.as_str().to_owned(),
            store: Bytes::copy_from_slice(&self.store),
            stays_learner: self.stays_learner,
        }
    }

    fn from_wire(message: v1::MemberRow) -> Result<Self, Error> {
        Ok(Self {
            id: MemberId(message.id),
            name: NodeName::new(&message.name)?,
            client_endpoint: Endpoint::new(&message.client_endpoint)?,
            peer_endpoint: Endpoint::new(&message.peer_endpoint)?,
            store: fixed(&message.store, "store")?,
            stays_learner: message.stays_learner,
        })
    }
}

/// A tombstone's row carries its key.
pub(super) fn tombstone_to_wire(key: &AttachmentKey, row: &Tombstone) -> v1::TombstoneRow {
    v1::TombstoneRow {
        key: Some(key.to_wire()),
        boot_id: row.boot.as_str().to_owned(),
        invoked_at_ms: row.invoked_at_ms,
        expires_at_ms: row.expires_at_ms,
    }
}

/// A tombstone's row carries its key.
pub(super) fn tombstone(message: v1::TombstoneRow) -> Result<(AttachmentKey, Tombstone), Error> {
    let row = Tombstone {
        boot: BootId::new(&message.boot_id)?,
        invoked_at_ms: message.invoked_at_ms,
        expires_at_ms: message.expires_at_ms,
    };
    Ok((required(message.key, "attachment key")?, row))
}

/// A request's row carries its principal and id.
pub(super) fn request_to_wire(
    principal: &Principal,
    id: &RequestId,
    row: &RequestResult,
) -> v1::RequestRow {
    v1::RequestRow {
        principal: principal.as_str().to_owned(),
        request_id: id.as_str().to_owned(),
        command: Bytes::copy_from_slice(&row.command),
        outcome: Some(row.outcome.to_wire()),
        expires_at_ms: row.expires_at_ms,
    }
}

/// A request's row carries its principal and id.
pub(super) fn request(
    message: v1::RequestRow,
) -> Result<(Principal, RequestId, RequestResult), Error> {
    let row = RequestResult {
        command: fixed(&message.command, "digest of a command")?,
        outcome: required(message.outcome, "outcome")?,
        expires_at_ms: message.expires_at_ms,
    };
    Ok((
        Principal::new(&message.principal)?,
        RequestId::new(&message.request_id)?,
        row,
    ))
}

impl Wire<v1::Outcome> for Outcome {
    fn to_wire(&self) -> v1::Outcome {
        let outcome = match self {
            Self::Bound {
                allocation,
                created,
            } => OutcomePart::Bound(v1::BoundOutcome {
                allocation: Some(allocation.to_wire()),
                created: *created,
            }),
            Self::Released { released } => OutcomePart::Released(*released),
            Self::VSwitch(id) => OutcomePart::Vswitch(id.0),
            Self::Node(id) => OutcomePart::Node(id.0),
            Self::Claim { id, addresses } => OutcomePart::Claim(v1::ClaimOutcome {
                id: id.0,
                addresses: wires(addresses),
            }),
            Self::Rows(count) => OutcomePart::Rows(*count),
            Self::Done => OutcomePart::Done(v1::Unit {}),
            Self::Job(id) => OutcomePart::Job(id.0),
            Self::Confirmed {
                adopted,
                strays,
                waiting,
            } => OutcomePart::Confirmed(v1::ConfirmedOutcome {
                adopted: *adopted,
                strays: *strays,
                waiting: *waiting,
            }),
        };
        v1::Outcome {
            outcome: Some(outcome),
        }
    }

    fn from_wire(message: v1::Outcome) -> Result<Self, Error> {
        Ok(match message.outcome.ok_or(Error::Missing("outcome"))? {
            OutcomePart::Bound(bound) => Self::Bound {
                allocation: required(bound.allocation, "allocation")?,
                created: bound.created,
            },
            OutcomePart::Released(released) => Self::Released { released },
            OutcomePart::Vswitch(id) => Self::VSwitch(VSwitchId(id)),
            OutcomePart::Node(id) => Self::Node(NodeId(id)),
            OutcomePart::Claim(claim) => Self::Claim {
                id: ClaimId(claim.id),
                addresses: list(claim.addresses)?,
            },
            OutcomePart::Rows(count) => Self::Rows(count),
            OutcomePart::Done(_) => Self::Done,
            OutcomePart::Job(id) => Self::Job(JobId(id)),
            OutcomePart::Confirmed(confirmed) => Self::Confirmed {
                adopted: confirmed.adopted,
                strays: confirmed.strays,
                waiting: confirmed.waiting,
            },
        })
    }
}

impl Wire<v1::ClusterRow> for Cluster {
    fn to_wire(&self) -> v1::ClusterRow {
        v1::ClusterRow {
            version: self.version.0,
        }
    }

    fn from_wire(message: v1::ClusterRow) -> Result<Self, Error> {
        Ok(Self {
            version: ClusterVersion(message.version),
        })
    }
}
