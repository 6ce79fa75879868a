//! CHECK and STATUS: reads of the leader's ledger, nothing changed. And whose attachment a DEL may end.

use super::encode::assigned;
use super::own_node;
use crate::failure::Failure;
use crate::grpc::authorisation::Role;
use crate::grpc::decode::{self, name, optional_name};
use crate::grpc::principal::Caller;
use crate::leader::Gate;
use crate::node::Release;
use berth_domain::Ledger;
use berth_domain::id::{AttachmentKey, NodeName, VSwitchName};
use berth_domain::outcome::Refusal;
use berth_domain::row::{Node, VSwitch};
use berth_proto::v1::*;
use std::net::IpAddr;
use std::sync::Arc;

/// CHECK: whether the attachment holds exactly these addresses.
pub(super) async fn check(
    gate: &Gate,
    caller: &Caller,
    request: CheckRequest,
) -> Result<CheckResponse, Failure> {
    let key = decode::attachment(request.attachment)?;
    let expected = decode::addresses("addresses", &request.addresses)?;
    let (response, node) = gate
        .read(move |ledger| compare(ledger, &key, &expected))
        .await??;
    match node {
        Some(node) => own_node(caller, &node)?,
        None => decline(caller)?,
    }
    Ok(response)
}

type Compared = Result<(CheckResponse, Option<NodeName>), Refusal>;

fn compare(ledger: &Ledger, key: &AttachmentKey, expected: &[IpAddr]) -> Compared {
    let missing = |what| Refusal::NotFound {
        what,
        name: key.to_string(),
    };
    let row = ledger
        .allocation(key)
        .ok_or_else(|| missing("attachment"))?;
    let vswitch = ledger.vswitch(row.vswitch);
    let vswitch = vswitch.ok_or_else(|| missing("vSwitch"))?;
    if row.addresses != expected {
        let key = Arc::clone(&row.key);
        return Err(Refusal::ParametersChanged { key });
    }
    let response = CheckResponse {
        revision: ledger.revision().0,
        addresses: assigned(row, vswitch),
    };
    Ok((
        response,
        ledger.node(row.node).map(|node| node.name.clone()),
    ))
}

/// A node may end its own attachments only: not even with another's key does it free another's address.
pub(super) async fn own_attachment(
    gate: &Gate,
    caller: &Caller,
    request: &Release,
) -> Result<(), Failure> {
    if caller.role != Role::Node {
        return Ok(());
    }
    if let Some(node) = &request.node {
        own_node(caller, node)?;
    }
    let key = request.key.clone();
    let node = gate.read_stale(move |ledger, _| {
        let row = ledger.allocation(&key)?;
        Some(ledger.node(row.node).map(|node| node.name.clone()))
    });
    match node.await? {
        None => Ok(()),
        Some(Some(node)) => own_node(caller, &node),
        Some(None) => decline(caller),
    }
}

/// Of a node that was removed nobody but an administrator speaks any more.
fn decline(caller: &Caller) -> Result<(), Failure> {
    if caller.role != Role::Node {
        return Ok(());
    }
    Err(Failure::Denied {
        principal: caller.principal.to_string(),
        what: "act for a node that was removed".into(),
    })
}

/// STATUS: whether an ADD would be served now.
pub(super) async fn status(
    gate: &Gate,
    caller: &Caller,
    request: StatusRequest,
) -> Result<StatusResponse, Failure> {
    let node = name("node", &request.node, NodeName::new)?;
    let vswitch = optional_name("vswitch", &request.vswitch, VSwitchName::new)?;
    own_node(caller, &node)?;
    gate.read(move |ledger| {
        let obstacle = obstacle(ledger, &node, vswitch.as_ref());
        let exhausted = matches!(obstacle, Some(Obstacle::Exhausted(_)));
        let reason = match obstacle {
            None => String::new(),
            Some(Obstacle::Missing(reason) | Obstacle::Exhausted(reason)) => reason,
        };
        StatusResponse {
            revision: ledger.revision().0,
            ready: reason.is_empty(),
            reason,
            exhausted,
        }
    })
    .await
}

/// What an ADD would fail of. A runtime may want to tell the two apart: a node whose vSwitch is full still runs its pods.
enum Obstacle {
    Missing(String),
    Exhausted(String),
}

/// None = an ADD would be served.
fn obstacle(ledger: &Ledger, node: &NodeName, vswitch: Option<&VSwitchName>) -> Option<Obstacle> {
    let missing = |reason| Some(Obstacle::Missing(reason));
    let Some(row) = ledger.node_named(node) else {
        return missing(format!(
            "node {node} is not registered: berthctl node register {node} --zone ZONE"
        ));
    };
    let usable: Vec<&Arc<VSwitch>> = match vswitch {
        Some(name) => ledger.vswitch_named(name).into_iter().collect(),
        None => ledger
            .vswitches()
            .filter(|vswitch| vswitch.zone == row.zone)
            .collect(),
    };
    match (usable.is_empty(), vswitch) {
        (true, Some(name)) => return missing(format!("vSwitch {name} does not exist")),
        (true, None) => {
            return missing(format!(
                "there is no vSwitch in zone {:?} of node {node}",
                row.zone.as_str()
            ));
        }
        _ => {}
    }
    let has_room = |vswitch: &&Arc<VSwitch>| has_room(ledger, vswitch, row);
    if usable.iter().any(has_room) {
        return None;
    }
    let names: Vec<&str> = usable.iter().map(|vswitch| vswitch.name.as_str()).collect();
    Some(Obstacle::Exhausted(format!(
        "no address is left in {}",
        names.join(", ")
    )))
}

/// In every family: free, cooling for a while only, or warm on this node.
fn has_room(ledger: &Ledger, vswitch: &VSwitch, node: &Node) -> bool {
    let Some(counts) = ledger.counts(vswitch.id) else {
        return false;
    };
    counts.families().all(|(family, counts)| {
        let warm = ledger
            .usage(node.id)
            .map_or(0, |usage| usage.family(family).idle);
        counts.free > 0 || counts.cooling > 0 || warm > 0
    })
}
