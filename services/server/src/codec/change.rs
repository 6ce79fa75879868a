//! Event groups, as the history holds them.

use super::entry::{trace, trace_bytes};
use super::row::{request, request_to_wire, tombstone, tombstone_to_wire};
use super::{Error, Wire, fixed, list, optional, required, whole, wires};
use berth_domain::command::cause;
use berth_domain::event::{Chain, EventGroup};
use berth_domain::id::*;
use berth_domain::row::Change;
use berth_proto::log::v1;
use berth_proto::log::v1::change::Change as Part;
use bytes::Bytes;
use prost::Message;
use std::sync::Arc;

/// As the history holds it.
pub fn encode_group(group: &EventGroup) -> Vec<u8> {
    let message = v1::EventGroup {
        revision: group.revision.0,
        ledger_time_ms: group.ledger_time_ms,
        wall_time_ms: group.wall_time_ms,
        principal: group.principal.as_str().to_owned(),
        request_id: group.request_id.as_str().to_owned(),
        trace_id: trace_bytes(&group.trace_id),
        cause: group.cause.into(),
        reason: group.reason.as_str().to_owned(),
        changes: wires(&group.changes),
        chain: Bytes::copy_from_slice(&group.chain.0),
    };
    message.encode_to_vec()
}

/// From what the history held.
pub fn decode_group(bytes: &[u8]) -> Result<EventGroup, Error> {
    let message: v1::EventGroup = whole(bytes, "an event group")?;
    Ok(EventGroup {
        revision: Revision(message.revision),
        ledger_time_ms: message.ledger_time_ms,
        wall_time_ms: message.wall_time_ms,
        principal: Principal::new(&message.principal)?,
        request_id: RequestId::new(&message.request_id)?,
        trace_id: trace(&message.trace_id)?,
        cause: cause(&message.cause).ok_or(Error::Cause(message.cause))?,
        reason: Reason::new(&message.reason)?,
        changes: list(message.changes)?,
        chain: Chain(fixed(&message.chain, "chain")?),
    })
}

// === impl Change ===

impl Wire<v1::Change> for Change {
    fn to_wire(&self) -> v1::Change {
        v1::Change {
            change: Some(part(self)),
        }
    }

    fn from_wire(message: v1::Change) -> Result<Self, Error> {
        change(message.change.ok_or(Error::Missing("change"))?)
    }
}

fn part(change: &Change) -> Part {
    match change {
        Change::Address {
            vswitch,
            address,
            before,
            after,
        } => Part::Address(v1::AddressChange {
            vswitch: vswitch.0,
            address: Some(address.to_wire()),
            before: side(before),
            after: side(after),
        }),
        Change::Allocation { key, before, after } => Part::Allocation(v1::AllocationChange {
            key: Some(key.to_wire()),
            before: side(before),
            after: side(after),
        }),
        Change::Claim { id, before, after } => Part::Claim(v1::ClaimChange {
            id: id.0,
            before: side(before),
            after: side(after),
        }),
        Change::Node { id, before, after } => Part::Node(v1::NodeChange {
            id: id.0,
            before: side(before),
            after: side(after),
        }),
        Change::VSwitch { id, before, after } => Part::Vswitch(v1::VSwitchChange {
            id: id.0,
            before: side(before),
            after: side(after),
        }),
        Change::Tombstone { key, before, after } => Part::Tombstone(v1::TombstoneChange {
            key: Some(key.to_wire()),
            before: before.as_ref().map(|row| tombstone_to_wire(key, row)),
            after: after.as_ref().map(|row| tombstone_to_wire(key, row)),
        }),
        Change::Request {
            principal,
            id,
            before,
            after,
        } => Part::Request(v1::RequestChange {
            principal: principal.as_str().to_owned(),
            request_id: id.as_str().to_owned(),
            before: before
                .as_ref()
                .map(|row| request_to_wire(principal, id, row)),
            after: after
                .as_ref()
                .map(|row| request_to_wire(principal, id, row)),
        }),
        Change::Cluster { before, after } => Part::Cluster(v1::ClusterChange {
            before: Some(before.to_wire()),
            after: Some(after.to_wire()),
        }),
        Change::Member { id, before, after } => Part::Member(v1::MemberChange {
            id: id.0,
            before: side(before),
            after: side(after),
        }),
        Change::Recovery { before, after } => Part::Recovery(v1::RecoveryChange {
            before: side(before),
            after: side(after),
        }),
        Change::OwedReport {
            node,
            before,
            after,
        } => Part::OwedReport(v1::OwedReportChange {
            node: node.0,
            before: *before,
            after: *after,
        }),
        Change::Eni {
            number,
            before,
            after,
        } => Part::Eni(v1::EniChange {
            number: number.0,
            before: side(before),
            after: side(after),
        }),
        Change::Job { id, before, after } => Part::Job(v1::JobChange {
            id: id.0,
            before: side(before),
            after: side(after),
        }),
        Change::NodePool { id, before, after } => Part::NodePool(v1::NodePoolChange {
            id: id.0,
            before: side(before),
            after: side(after),
        }),
        Change::Stray {
            node,
            key,
            before,
            after,
        } => Part::Stray(v1::StrayChange {
            node: node.0,
            key: Some(key.to_wire()),
            before: side(before),
            after: side(after),
        }),
    }
}

fn change(part: Part) -> Result<Change, Error> {
    Ok(match part {
        Part::Address(change) => Change::Address {
            vswitch: VSwitchId(change.vswitch),
            address: required(change.address, "address")?,
            before: optional(change.before)?,
            after: optional(change.after)?,
        },
        Part::Allocation(change) => Change::Allocation {
            key: required(change.key, "attachment key")?,
            before: optional(change.before)?,
            after: optional(change.after)?,
        },
        Part::Claim(change) => Change::Claim {
            id: ClaimId(change.id),
            before: optional(change.before)?,
            after: optional(change.after)?,
        },
        Part::Node(change) => Change::Node {
            id: NodeId(change.id),
            before: optional(change.before)?,
            after: optional(change.after)?,
        },
        Part::Vswitch(change) => Change::VSwitch {
            id: VSwitchId(change.id),
            before: optional(change.before)?,
            after: optional(change.after)?,
        },
        Part::Tombstone(change) => Change::Tombstone {
            key: required(change.key, "attachment key")?,
            before: change
                .before
                .map(|row| tombstone(row).map(|(_, row)| row))
                .transpose()?,
            after: change
                .after
                .map(|row| tombstone(row).map(|(_, row)| row))
                .transpose()?,
        },
        Part::Request(change) => request_change(change)?,
        Part::Cluster(change) => Change::Cluster {
            before: required(change.before, "cluster row")?,
            after: required(change.after, "cluster row")?,
        },
        Part::Member(change) => Change::Member {
            id: MemberId(change.id),
            before: optional(change.before)?,
            after: optional(change.after)?,
        },
        Part::Recovery(change) => Change::Recovery {
            before: optional(change.before)?,
            after: optional(change.after)?,
        },
        Part::OwedReport(change) => Change::OwedReport {
            node: NodeId(change.node),
            before: change.before,
            after: change.after,
        },
        Part::Eni(change) => Change::Eni {
            number: EniNumber(change.number),
            before: optional(change.before)?,
            after: optional(change.after)?,
        },
        Part::Job(change) => Change::Job {
            id: JobId(change.id),
            before: optional(change.before)?,
            after: optional(change.after)?,
        },
        Part::NodePool(change) => Change::NodePool {
            id: NodePoolId(change.id),
            before: optional(change.before)?,
            after: optional(change.after)?,
        },
        Part::Stray(change) => Change::Stray {
            node: NodeId(change.node),
            key: required(change.key, "attachment key")?,
            before: optional(change.before)?,
            after: optional(change.after)?,
        },
    })
}

fn request_change(change: v1::RequestChange) -> Result<Change, Error> {
    let row = |side: Option<v1::RequestRow>| {
        let row = side.map(|row| request(row).map(|(_, _, row)| Arc::new(row)));
        row.transpose()
    };
    Ok(Change::Request {
        principal: Principal::new(&change.principal)?,
        id: RequestId::new(&change.request_id)?,
        before: row(change.before)?,
        after: row(change.after)?,
    })
}

fn side<M, T: Wire<M>>(row: &Option<T>) -> Option<M> {
    row.as_ref().map(Wire::to_wire)
}
