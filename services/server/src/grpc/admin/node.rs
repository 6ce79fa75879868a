//! Nodes: register, remove, show, list.

use super::{AdminService, pool, view};
use crate::capacity::{capacity, may_join};
use crate::failure::Failure;
use crate::grpc::decode::{self, Decoded, name, number, optional_name};
use crate::grpc::limits;
use crate::grpc::principal::Caller;
use berth_domain::Ledger;
use berth_domain::capacity::NodeMode;
use berth_domain::command::{Command, RegisterNode, RemoveNode};
use berth_domain::id::{InstanceType, NodeId, NodeIdentity, NodeName, NodePoolName, Zone};
use berth_domain::outcome::Refusal;
use berth_domain::row::NodePool;
use berth_proto::v1;
use std::sync::Arc;

pub(super) async fn register(
    service: &AdminService,
    caller: &Caller,
    request: v1::RegisterNodeRequest,
) -> Result<v1::Node, Failure> {
    let change = decode::change(request.change.clone())?;
    let pool = pool(service, &request.pool).await?;
    let command = command(&request, pool.as_deref())?;
    let name = command.name.clone();
    let command = Command::RegisterNode(command);
    service.propose(caller, change, command).await?;
    let made = find(service, name, false).await;
    made.map_err(Failure::after_it_was_done)
}

pub(super) async fn remove(
    service: &AdminService,
    caller: &Caller,
    request: v1::RemoveNodeRequest,
) -> Result<v1::DeleteResponse, Failure> {
    let change = decode::change(request.change)?;
    let name = name("name", &request.name, NodeName::new)?;
    let missing = missing(&name);
    let node = service
        .gate
        .read(move |ledger| view::node_id(ledger, &name))
        .await?;
    let Some(node) = node else {
        return service.ended_before(caller, &change, missing).await;
    };
    let command = Command::RemoveNode(RemoveNode {
        node,
        confirmed_dead: request.confirmed_dead,
    });
    service.propose_end(caller, change, command).await
}

pub(super) async fn get(
    service: &AdminService,
    _caller: &Caller,
    request: v1::GetNodeRequest,
) -> Result<v1::Node, Failure> {
    find(
        service,
        name("name", &request.name, NodeName::new)?,
        request.stale,
    )
    .await
}

pub(super) async fn list(
    service: &AdminService,
    _caller: &Caller,
    request: v1::ListNodesRequest,
) -> Result<v1::ListNodesResponse, Failure> {
    let size = decode::page_size(request.page_size)?;
    let after = decode::page_number(&request.page_token)?;
    let page = service.look(request.stale, move |ledger| {
        view::nodes(ledger, after, size)
    });
    let (nodes, next_page_token, revision) = page.await?;
    Ok(v1::ListNodesResponse {
        nodes,
        next_page_token,
        revision,
    })
}

async fn find(service: &AdminService, name: NodeName, stale: bool) -> Result<v1::Node, Failure> {
    let missing = missing(&name);
    let found = service.look(stale, move |ledger| view::node_named(ledger, &name));
    found.await?.ok_or(Failure::Refused(missing))
}

fn missing(name: &NodeName) -> Refusal {
    let name = name.to_string();
    Refusal::NotFound { what: "node", name }
}

/// The node that is asked about, if one is.
pub(super) fn of(ledger: &Ledger, name: Option<NodeName>) -> Result<Option<NodeId>, Failure> {
    let Some(name) = name else { return Ok(None) };
    let id = view::node_id(ledger, &name);
    id.map(Some).ok_or_else(|| Failure::Refused(missing(&name)))
}

async fn pool(service: &AdminService, text: &str) -> Result<Option<Arc<NodePool>>, Failure> {
    let Some(name) = optional_name("pool", text, NodePoolName::new)? else {
        return Ok(None);
    };
    let missing = pool::missing(&name);
    let found = service
        .gate
        .read(move |ledger| ledger.node_pool_named(&name).cloned());
    found.await?.map(Some).ok_or(Failure::Refused(missing))
}

fn command(request: &v1::RegisterNodeRequest, pool: Option<&NodePool>) -> Decoded<RegisterNode> {
    let instance_type = name("instance_type", &request.instance_type, InstanceType::new)?;
    let mode = pool.map_or(NodeMode::Shared, |pool| pool.mode);
    let room = capacity(&instance_type, mode)?;
    if !request.allow_few_pods {
        may_join(&instance_type, mode)?;
    }
    Ok(RegisterNode {
        name: name("name", &request.name, NodeName::new)?,
        identity: name("identity", &request.identity, NodeIdentity::new)?,
        zone: name("zone", &request.zone, Zone::new)?,
        instance_type,
        eni_slots: room.eni_slots,
        addresses_per_eni: room.addresses_per_eni,
        warm_target: number(
            "warm_target",
            request.warm_target,
            0..=limits::WARM_TARGET_MAX,
        )?,
        pool: pool.map(|pool| pool.id),
    })
}
