//! Event groups on the wire: rows become sentences that people read, states stay for programs.

use crate::policy;
use berth_domain::event::EventGroup;
use berth_domain::id::{AttachmentKey, NodeId};
use berth_domain::row::{
    AddressState, Allocation, Change, Claim, ClaimState, Eni, Job, Member, Node, NodePool,
    Recovery, Stray, UNKNOWN_NODES, VSwitch,
};
use berth_proto::v1;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names of nodes that rows know by number only.
#[derive(Debug, Default)]
pub struct Names {
    /// Those that are known now; a node that is gone is shown by its number.
    pub nodes: BTreeMap<NodeId, String>,
}

/// What one row looked like before and after.
struct Sides {
    kind: &'static str,
    key: String,
    before: Option<String>,
    after: Option<String>,
}

/// One event group.
pub fn group(group: &EventGroup, names: &Names) -> v1::EventGroup {
    let writer = Writer { group, names };
    v1::EventGroup {
        revision: group.revision.0,
        ledger_time_ms: group.ledger_time_ms,
        wall_time_ms: group.wall_time_ms,
        principal: group.principal.to_string(),
        request_id: group.request_id.to_string(),
        trace_id: group.trace_id.map(|id| hex(&id)).unwrap_or_default(),
        cause: group.cause.into(),
        reason: group.reason.to_string(),
        changes: group
            .changes
            .iter()
            .map(|change| writer.change(change))
            .collect(),
        chain: hex(&group.chain.0),
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The wire's number of a state.
pub fn state(state: &AddressState) -> v1::AddressState {
    use v1::AddressState as Wire;
    match state {
        AddressState::Free { .. } => Wire::Free,
        AddressState::Reserved { .. } => Wire::Reserved,
        AddressState::Idle { .. } => Wire::Idle,
        AddressState::Bound { .. } => Wire::Bound,
        AddressState::Cooling { .. } => Wire::Cooling,
        AddressState::Releasing { .. } => Wire::Releasing,
        AddressState::Held { .. } => Wire::Held,
        AddressState::Disputed { .. } => Wire::Disputed,
        AddressState::Quarantined { .. } => Wire::Quarantined,
        AddressState::Foreign => Wire::Foreign,
        AddressState::Excluded => Wire::Excluded,
    }
}

// === impl Names ===

impl Names {
    /// The nodes that a group speaks of.
    pub fn asked(group: &EventGroup) -> BTreeSet<NodeId> {
        let mut ids = BTreeSet::new();
        for change in &group.changes {
            match change {
                Change::Address { before, after, .. } => {
                    ids.extend(before.iter().chain(after).filter_map(node_of));
                }
                Change::Allocation { before, after, .. } => {
                    ids.extend(before.iter().chain(after).map(|row| row.node));
                }
                Change::Claim { before, after, .. } => {
                    ids.extend(
                        before
                            .iter()
                            .chain(after)
                            .filter_map(|row| match &row.state {
                                ClaimState::Bound { node, .. } => Some(*node),
                                ClaimState::Held { .. } => None,
                            }),
                    );
                }
                Change::OwedReport { node, .. } | Change::Stray { node, .. } => {
                    ids.insert(*node);
                }
                Change::Eni { before, after, .. } => {
                    ids.extend(before.iter().chain(after).map(|row| row.node));
                }
                _ => {}
            }
        }
        ids
    }
}

fn node_of(state: &AddressState) -> Option<NodeId> {
    match state {
        AddressState::Reserved { node, .. }
        | AddressState::Idle { node, .. }
        | AddressState::Bound { node, .. } => Some(*node),
        AddressState::Cooling { node, .. } | AddressState::Releasing { node, .. } => *node,
        _ => None,
    }
}

struct Writer<'a> {
    group: &'a EventGroup,
    names: &'a Names,
}

// === impl Writer ===

impl Writer<'_> {
    fn change(&self, change: &Change) -> v1::RowChange {
        let (state_before, state_after) = match change {
            Change::Address { before, after, .. } => (side(before), side(after)),
            _ => (0, 0),
        };
        let sides = self.sides(change);
        v1::RowChange {
            kind: sides.kind.into(),
            key: sides.key,
            before: sides.before.unwrap_or_default(),
            after: sides.after.unwrap_or_default(),
            state_before,
            state_after,
        }
    }

    fn sides(&self, change: &Change) -> Sides {
        match change {
            // An address without a row was never used, and is free.
            Change::Address {
                address,
                before,
                after,
                ..
            } => sides(
                "address",
                address.to_string(),
                Some(self.address(before.as_ref())),
                Some(self.address(after.as_ref())),
            ),
            Change::Allocation { key, before, after } => sides(
                "allocation",
                key.to_string(),
                before.as_ref().map(|row| self.allocation(row)),
                after.as_ref().map(|row| self.allocation(row)),
            ),
            Change::Claim { id, before, after } => {
                let name = either(before, after).map(|row| row.name.to_string());
                sides(
                    "claim",
                    name.unwrap_or_else(|| format!("claim {id}")),
                    before.as_ref().map(|row| self.claim(row)),
                    after.as_ref().map(|row| self.claim(row)),
                )
            }
            Change::Node { id, before, after } => {
                let name = either(before, after).map(|row| row.name.to_string());
                let name = name.unwrap_or_else(|| format!("node {id}"));
                sides("node", name, text(before, node), text(after, node))
            }
            Change::VSwitch { id, before, after } => {
                let name = either(before, after).map(|row| row.name.to_string());
                let name = name.unwrap_or_else(|| format!("vSwitch {id}"));
                sides("vswitch", name, text(before, vswitch), text(after, vswitch))
            }
            Change::Tombstone { key, before, after } => {
                let expires = |expires_at_ms: u64| format!("until ledger time {expires_at_ms} ms");
                let before = before.as_ref().map(|row| expires(row.expires_at_ms));
                let after = after.as_ref().map(|row| expires(row.expires_at_ms));
                sides("tombstone", key.to_string(), before, after)
            }
            Change::Request {
                principal,
                id,
                before,
                after,
            } => {
                let known = "answered".to_owned();
                let before = before.as_ref().map(|_| known.clone());
                let after = after.as_ref().map(|_| known);
                sides("request", format!("{principal}/{id}"), before, after)
            }
            Change::Cluster { before, after } => Sides {
                kind: "cluster",
                key: "version".into(),
                before: Some(before.version.to_string()),
                after: Some(after.version.to_string()),
            },
            Change::Member { id, before, after } => sides(
                "member",
                id.to_string(),
                text(before, member),
                text(after, member),
            ),
            Change::Recovery { before, after } => sides(
                "recovery",
                either(before, after).map_or_else(String::new, |row| row.cluster.to_string()),
                text(before, recovery),
                text(after, recovery),
            ),
            Change::OwedReport {
                node,
                before,
                after,
            } => {
                let name = match *node {
                    UNKNOWN_NODES => "the nodes that joined since the backup".to_owned(),
                    node => self.node_name(node),
                };
                let owed = |owes: bool| owes.then(|| "its report is due".to_owned());
                sides("report", name, owed(*before), owed(*after))
            }
            Change::Eni {
                number,
                before,
                after,
            } => sides(
                "eni",
                either(before, after)
                    .and_then(|row| row.id.as_ref())
                    .map_or_else(|| format!("ENI {number}"), ToString::to_string),
                before.as_ref().map(|row| self.eni(row)),
                after.as_ref().map(|row| self.eni(row)),
            ),
            Change::NodePool { before, after, .. } => sides(
                "node pool",
                either(before, after).map_or_else(String::new, |row| row.name.to_string()),
                text(before, pool),
                text(after, pool),
            ),
            Change::Job { id, before, after } => {
                sides("job", id.to_string(), text(before, job), text(after, job))
            }
            Change::Stray {
                key, before, after, ..
            } => sides(
                "stray",
                key.to_string(),
                before.as_ref().map(|row| self.stray(row)),
                after.as_ref().map(|row| self.stray(row)),
            ),
        }
    }

    /// "in use on worker-1, primary 10.0.0.5"
    fn eni(&self, row: &Eni) -> String {
        let node = self.node_name(row.node);
        format!("{} on {node}, primary {}", row.state.name(), row.primary)
    }

    fn node_name(&self, id: NodeId) -> String {
        let known = self.names.nodes.get(&id).cloned();
        known.unwrap_or_else(|| format!("node {id}"))
    }

    /// "bound web/web-0 on worker-1"
    fn address(&self, state: Option<&AddressState>) -> String {
        match state {
            None => "never used".into(),
            Some(AddressState::Free { .. }) => "free".into(),
            Some(AddressState::Reserved { node, job }) => {
                format!("reserved for {} by job {job}", self.node_name(*node))
            }
            Some(AddressState::Idle { node, .. }) => format!("idle on {}", self.node_name(*node)),
            Some(AddressState::Bound { node, key, .. }) => {
                format!("bound {} on {}", self.holder(key), self.node_name(*node))
            }
            Some(AddressState::Cooling { until_ms, .. }) => {
                format!("cooling until ledger time {until_ms} ms")
            }
            Some(AddressState::Releasing { node, job }) => match node {
                Some(node) => format!("releasing from {} by job {job}", self.node_name(*node)),
                None => format!("releasing by job {job}"),
            },
            Some(AddressState::Held { claim }) => format!("held for claim {claim}"),
            Some(AddressState::Disputed { claim }) => format!("disputed for claim {claim}"),
            Some(AddressState::Quarantined { .. }) => "quarantined".into(),
            Some(AddressState::Foreign) => "foreign".into(),
            Some(AddressState::Excluded) => "excluded".into(),
        }
    }

    /// The pod if this group's allocation says it, else the key.
    fn holder(&self, key: &Arc<AttachmentKey>) -> String {
        let allocation = self.group.changes.iter().find_map(|change| match change {
            Change::Allocation {
                key: of,
                before,
                after,
            } if of == key => either(before, after),
            _ => None,
        });
        match allocation {
            Some(row) if !row.pod.name.as_str().is_empty() => {
                format!("{}/{}", row.pod.namespace, row.pod.name)
            }
            _ => key.to_string(),
        }
    }

    fn stray(&self, row: &Stray) -> String {
        let addresses: Vec<String> = row.addresses.iter().map(ToString::to_string).collect();
        format!(
            "{} on {}: {}",
            addresses.join(", "),
            self.node_name(row.node),
            row.cause.text()
        )
    }

    fn allocation(&self, row: &Allocation) -> String {
        let addresses: Vec<String> = row.addresses.iter().map(ToString::to_string).collect();
        let pod = match row.pod.name.as_str() {
            "" => String::new(),
            _ => format!(" of {}/{}", row.pod.namespace, row.pod.name),
        };
        let node = self.node_name(row.node);
        format!(
            "{}{pod} on {node}, generation {}",
            addresses.join(" "),
            row.generation
        )
    }

    fn claim(&self, row: &Claim) -> String {
        let addresses: Vec<String> = row.addresses.iter().map(ToString::to_string).collect();
        let (addresses, policy) = (addresses.join(" "), policy::text(row.policy));
        match &row.state {
            ClaimState::Held { .. } => format!("{addresses}, {policy}, held"),
            ClaimState::Bound { node, .. } => {
                format!("{addresses}, {policy}, bound on {}", self.node_name(*node))
            }
        }
    }
}

fn sides(kind: &'static str, key: String, before: Option<String>, after: Option<String>) -> Sides {
    Sides {
        kind,
        key,
        before,
        after,
    }
}

fn side(state_of: &Option<AddressState>) -> i32 {
    state_of
        .as_ref()
        .map_or(v1::AddressState::Free, state)
        .into()
}

fn either<'a, T>(before: &'a Option<Arc<T>>, after: &'a Option<Arc<T>>) -> Option<&'a T> {
    after.as_deref().or(before.as_deref())
}

fn text<T>(row: &Option<Arc<T>>, write: fn(&T) -> String) -> Option<String> {
    row.as_deref().map(write)
}

fn node(row: &Node) -> String {
    let Node {
        identity,
        zone,
        instance_type,
        warm_target,
        ..
    } = row;
    format!("{identity}, zone {zone}, type {instance_type}, {warm_target} warm")
}

fn vswitch(row: &VSwitch) -> String {
    let cidrs: Vec<String> = [row.ipv4, row.ipv6]
        .into_iter()
        .flatten()
        .map(|subnet| subnet.cidr.to_string())
        .collect();
    format!("{}, zone {}", cidrs.join(" "), row.zone)
}

fn recovery(row: &Recovery) -> String {
    match row.is_open() {
        true => format!("open: {} reports are due", row.waiting.len()),
        false => "closed".into(),
    }
}

/// "shared, 2 vSwitches (1 draining), 0 to 4 idle, 1 ENI blocked"
fn pool(row: &NodePool) -> String {
    let draining = match row.draining.len() {
        0 => String::new(),
        count => format!(" ({count} draining)"),
    };
    let blocked = match row.blocked.len() {
        0 => String::new(),
        count => format!(", {count} ENIs blocked"),
    };
    format!(
        "{}, {} vSwitches{draining}, {} to {} idle{blocked}",
        row.mode.as_str(),
        row.vswitches.len(),
        row.idle.min,
        row.idle.max
    )
}

/// "create-eni at attach, for 10 addresses"
fn job(row: &Job) -> String {
    let (work, step) = (row.work.name(), row.step.name());
    let trouble = row.trouble.map(|cause| format!("; {cause}"));
    let trouble = trouble.unwrap_or_default();
    format!(
        "{work} at {step}, for {} addresses{trouble}",
        row.addresses.len()
    )
}

fn member(row: &Member) -> String {
    format!("{} at {}", row.name, row.peer_endpoint)
}
