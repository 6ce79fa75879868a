//! What CNI shims and node agents call: decoded, narrowed to the caller's own node, handed to the gate.

use super::authorisation::Role;
use super::decode::{self, Decoded, name, number, optional_name};
use super::limits;
use super::principal::Caller;
use crate::facts::{Facts, Lookup};
use crate::failure::Failure;
use crate::leader::Gate;
use crate::node;
use berth_domain::Ledger;
use berth_domain::id::*;
use berth_proto::v1::allocator_server::Allocator;
use berth_proto::v1::*;
use std::collections::BTreeSet;
use std::net::IpAddr;
use tonic::{Request, Response, Status};

mod check;
mod encode;

pub(super) use encode::gateway;

/// The allocator's service.
#[derive(Clone)]
pub struct AllocatorService {
    gate: Gate,
}

// === impl AllocatorService ===

impl AllocatorService {
    /// Over this gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }

    /// Whoever asked for a specific address that could not be had is told who has it.
    async fn explained(&self, failure: Failure, requested: Vec<IpAddr>) -> Failure {
        if requested.is_empty() || !matches!(failure, Failure::Unavailable { .. }) {
            return failure;
        }
        let look = move |ledger: &Ledger| {
            let taken = |address: &IpAddr| ledger.in_use(*address);
            requested.iter().find_map(taken)
        };
        match self.gate.read(look).await {
            Ok(Some(refusal)) => Failure::Refused(refusal),
            _ => failure,
        }
    }
}

#[tonic::async_trait]
impl Allocator for AllocatorService {
    async fn allocate(
        &self,
        request: Request<AllocateRequest>,
    ) -> Result<Response<AllocateResponse>, Status> {
        let (caller, request) = super::taken(request)?;
        let request = allocate(&caller, request).map_err(Failure::from)?;
        own_node(&caller, &request.node)?;
        pod_of_node(&caller, &request, self.gate.facts())?;
        let requested = request.requested.clone();
        match self.gate.allocate(request).await {
            Ok(allocated) => Ok(Response::new(encode::allocated(&allocated))),
            Err(failure) => Err(self.explained(failure, requested).await.into()),
        }
    }

    async fn release(
        &self,
        request: Request<ReleaseRequest>,
    ) -> Result<Response<ReleaseResponse>, Status> {
        let (caller, request) = super::taken(request)?;
        let request = release(&caller, request).map_err(Failure::from)?;
        check::own_attachment(&self.gate, &caller, &request).await?;
        let released = self.gate.release(request).await?;
        Ok(Response::new(ReleaseResponse {
            revision: released.revision.0,
            released: released.released,
        }))
    }

    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let (caller, request) = super::taken(request)?;
        let checked = check::check(&self.gate, &caller, request).await?;
        Ok(Response::new(checked))
    }

    async fn collect(
        &self,
        request: Request<CollectRequest>,
    ) -> Result<Response<CollectResponse>, Status> {
        let (caller, request) = super::taken(request)?;
        let request = collect(&caller, request).map_err(Failure::from)?;
        own_node(&caller, &request.node)?;
        let collected = self.gate.collect(request).await?;
        Ok(Response::new(CollectResponse {
            revision: collected.revision.0,
            released: collected.released,
        }))
    }

    async fn status(
        &self,
        request: Request<StatusRequest>,
    ) -> Result<Response<StatusResponse>, Status> {
        let (caller, request) = super::taken(request)?;
        let status = check::status(&self.gate, &caller, request).await?;
        Ok(Response::new(status))
    }
}

/// A node speaks for itself only (design §10).
pub(super) fn own_node(caller: &Caller, node: &NodeName) -> Result<(), Failure> {
    if caller.speaks_for(node.as_str()) {
        return Ok(());
    }
    Err(Failure::Denied {
        principal: caller.principal.to_string(),
        what: format!("act for node {node}"),
    })
}

/// A node asks only for pods that are scheduled to it: else one that was broken into could take another's static
/// address. A pod's uid never moves, so facts that are a little late deny nobody; without facts there is nothing to go by.
fn pod_of_node(caller: &Caller, request: &node::Allocate, facts: &Facts) -> Result<(), Failure> {
    let pod = &request.pod;
    if caller.role != Role::Node {
        return Ok(());
    }
    match facts.pod(&request.key.cluster, &pod.namespace, &pod.name) {
        Lookup::Known(fact, _)
            if fact.uid == pod.uid.as_str()
                && !fact.node.is_empty()
                && fact.node != request.node.as_str() =>
        {
            Err(Failure::Denied {
                principal: caller.principal.to_string(),
                what: format!(
                    "ask for pod {}/{}, which is scheduled to node {}",
                    pod.namespace, pod.name, fact.node
                ),
            })
        }
        _ => Ok(()),
    }
}

fn allocate(caller: &Caller, request: AllocateRequest) -> Decoded<node::Allocate> {
    Ok(node::Allocate {
        principal: caller.principal.clone(),
        trace_id: caller.trace_id,
        key: decode::attachment(request.attachment)?,
        pod: decode::pod(request.pod)?,
        node: name("node", &request.node, NodeName::new)?,
        boot: name("boot_id", &request.boot_id, BootId::new)?,
        invoked_at_ms: request.invoked_at_ms,
        vswitch: optional_name("vswitch", &request.vswitch, VSwitchName::new)?,
        requested: decode::addresses("requested_addresses", &request.requested_addresses)?,
        deadline_ms: number("deadline_ms", request.deadline_ms, limits::DEADLINE_MS)?,
    })
}

fn release(caller: &Caller, request: ReleaseRequest) -> Decoded<node::Release> {
    let deadline_ms = match request.deadline_ms {
        0 => limits::RELEASE_DEADLINE_MS,
        said => number("deadline_ms", said, limits::DEADLINE_MS)?,
    };
    Ok(node::Release {
        principal: caller.principal.clone(),
        trace_id: caller.trace_id,
        key: decode::attachment(request.attachment)?,
        node: optional_name("node", &request.node, NodeName::new)?,
        boot: name("boot_id", &request.boot_id, BootId::new)?,
        invoked_at_ms: request.invoked_at_ms,
        generation: (request.generation > 0).then_some(Generation(request.generation)),
        deadline_ms,
    })
}

fn collect(caller: &Caller, request: CollectRequest) -> Decoded<node::Collect> {
    if request.valid.len() > limits::VALID_ATTACHMENTS_MAX {
        let (count, limit) = (request.valid.len(), limits::VALID_ATTACHMENTS_MAX);
        return Err(decode::invalid(
            "valid",
            format_args!("names {count} attachments (at most {limit})"),
        ));
    }
    let mut valid = BTreeSet::new();
    for attachment in &request.valid {
        valid.insert((
            name(
                "valid.container_id",
                &attachment.container_id,
                ContainerId::new,
            )?,
            name("valid.interface", &attachment.interface, InterfaceName::new)?,
        ));
    }
    Ok(node::Collect {
        principal: caller.principal.clone(),
        trace_id: caller.trace_id,
        cluster: name("cluster", &request.cluster, ClusterName::new)?,
        network: name("network", &request.network, NetworkName::new)?,
        node: name("node", &request.node, NodeName::new)?,
        boot: name("boot_id", &request.boot_id, BootId::new)?,
        invoked_at_ms: request.invoked_at_ms,
        valid,
        deadline_ms: limits::RELEASE_DEADLINE_MS,
    })
}
