//! What an event group is found by.

use super::reader::Subject;
use berth_domain::event::EventGroup;
use berth_domain::id::{ClaimName, Namespace, NodeId, NodeName, PodName, VSwitchName};
use berth_domain::row::{AddressState, Change, Claim};
use berth_store::history::KEY_BYTES_MAX;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// All keys of a group: its addresses, pods, nodes, claims and vSwitches.
pub(super) fn keys(group: &EventGroup) -> Vec<Vec<u8>> {
    let mut keys = BTreeSet::new();
    for change in &group.changes {
        match change {
            Change::Address {
                address: at,
                before,
                after,
                ..
            } => {
                keys.insert(address(*at));
                keys.extend(
                    [before, after]
                        .into_iter()
                        .flatten()
                        .filter_map(standing_on)
                        .map(node),
                );
            }
            Change::Allocation { before, after, .. } => {
                for row in [before, after].into_iter().flatten() {
                    keys.insert(pod(&row.pod.namespace, &row.pod.name));
                    keys.insert(node(row.node));
                }
            }
            Change::Claim { before, after, .. } => {
                keys.extend(
                    [before, after]
                        .into_iter()
                        .flatten()
                        .flat_map(|row| of_claim(row)),
                );
            }
            Change::Node { id, before, after } => {
                keys.insert(node(*id));
                keys.extend(
                    [before, after]
                        .into_iter()
                        .flatten()
                        .map(|row| node_name(&row.name)),
                );
            }
            Change::VSwitch { before, after, .. } => {
                keys.insert(vswitches());
                keys.extend(
                    [before, after]
                        .into_iter()
                        .flatten()
                        .map(|row| vswitch(&row.name)),
                );
            }
            Change::OwedReport { node: id, .. } => {
                keys.insert(node(*id));
            }
            Change::Eni { before, after, .. } => {
                let rows = [before, after].into_iter().flatten();
                keys.extend(rows.map(|row| node(row.node)));
            }
            Change::Job { before, after, .. } => {
                let rows = [before, after].into_iter().flatten();
                keys.extend(rows.map(|row| node(row.node)));
            }
            Change::Stray {
                node: id,
                before,
                after,
                ..
            } => {
                keys.insert(node(*id));
                for row in [before, after].into_iter().flatten() {
                    keys.insert(pod(&row.pod.namespace, &row.pod.name));
                    keys.extend(row.addresses.iter().map(|at| address(*at)));
                }
            }
            Change::Tombstone { .. }
            | Change::Request { .. }
            | Change::Member { .. }
            | Change::Cluster { .. }
            | Change::NodePool { .. }
            | Change::Recovery { .. } => {}
        }
    }
    keys.into_iter().collect()
}

/// The key of a subject that has one of its own.
pub(super) fn of_subject(subject: &Subject) -> Option<Vec<u8>> {
    match subject {
        Subject::All | Subject::Node(_) => None,
        Subject::Address(at) => Some(address(*at)),
        Subject::Pod { namespace, name } => Some(pod(namespace, name)),
        Subject::Claim(name) => Some(claim(name)),
        Subject::VSwitch(name) => Some(vswitch(name)),
        Subject::VSwitches => Some(vswitches()),
    }
}

/// A node's allocations and warm addresses name it by id.
pub(super) fn node(id: NodeId) -> Vec<u8> {
    let mut key = b"n".to_vec();
    key.extend(id.0.to_be_bytes());
    key
}

/// A node's own row names it by both: through it a name leads to ids.
pub(super) fn node_name(name: &NodeName) -> Vec<u8> {
    text(b'N', &[name.as_str()])
}

fn of_claim(row: &Claim) -> [Vec<u8>; 2] {
    [claim(&row.name), pod(&row.name.namespace, &row.name.pod)]
}

fn standing_on(state: &AddressState) -> Option<NodeId> {
    match state {
        AddressState::Reserved { node, .. }
        | AddressState::Idle { node, .. }
        | AddressState::Bound { node, .. } => Some(*node),
        AddressState::Cooling { node, .. } | AddressState::Releasing { node, .. } => *node,
        _ => None,
    }
}

fn address(address: IpAddr) -> Vec<u8> {
    let mut key = b"a".to_vec();
    match address {
        IpAddr::V4(four) => key.extend(four.octets()),
        IpAddr::V6(six) => key.extend(six.octets()),
    }
    key
}

fn pod(namespace: &Namespace, name: &PodName) -> Vec<u8> {
    text(b'p', &[namespace.as_str(), name.as_str()])
}

fn claim(name: &ClaimName) -> Vec<u8> {
    text(
        b'c',
        &[
            name.cluster.as_str(),
            name.namespace.as_str(),
            name.pod.as_str(),
        ],
    )
}

/// Of every vSwitch's own rows: where an address lay is found without a name.
fn vswitches() -> Vec<u8> {
    b"V".to_vec()
}

fn vswitch(name: &VSwitchName) -> Vec<u8> {
    text(b'v', &[name.as_str()])
}

/// No name holds a slash. Names at their limits make a key that is too long: then its digest stands for it.
fn text(kind: u8, parts: &[&str]) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend(parts.join("/").into_bytes());
    if key.len() > KEY_BYTES_MAX {
        let digest = blake3::hash(&key);
        key.truncate(1);
        key.push(b'#');
        key.extend(digest.as_bytes());
    }
    key
}
