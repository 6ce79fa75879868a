//! What administrators and their tools call. One file per noun.

mod allocation;
mod capacity;
mod claim;
mod cloud;
mod cluster;
mod eni;
mod explain;
mod history;
mod job;
mod member;
mod node;
mod plan;
mod pool;
mod version;
mod view;
mod vswitch;

use super::decode;
use super::principal::Caller;
use crate::failure::Failure;
use crate::leader::Gate;
use crate::peer::Membership;
use berth_domain::Ledger;
use berth_domain::command::{Command, Proposal};
use berth_domain::id::Revision;
use berth_domain::outcome::{Outcome, Refusal};
use berth_proto::v1::admin_server::Admin;
use berth_proto::v1::*;
use futures::stream::BoxStream;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The administrator's service.
#[derive(Clone)]
pub struct AdminService {
    gate: Gate,
    membership: Arc<Membership>,
    version: &'static str,
}

// === impl AdminService ===

impl AdminService {
    /// Over this gate.
    pub fn new(gate: Gate, membership: Arc<Membership>) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self {
            gate,
            membership,
            version,
        }
    }

    /// One command, with who asks and why, answered after its commit.
    async fn propose(
        &self,
        caller: &Caller,
        change: decode::Change,
        command: Command,
    ) -> Result<(Revision, Outcome), Failure> {
        let proposal = Proposal {
            principal: caller.principal.clone(),
            request_id: change.request_id,
            trace_id: caller.trace_id,
            reason: change.reason,
            facts: None,
            command,
        };
        let answer = self.gate.propose(proposal).await?;
        let outcome = answer.result?;
        Ok((answer.revision, outcome))
    }

    /// Looks at the ledger: as of now, by the leader's word and a quorum's, or, if stale will do, as far as this replica is.
    async fn look<R: Send + 'static>(
        &self,
        stale: bool,
        query: impl FnOnce(&Ledger) -> R + Send + 'static,
    ) -> Result<R, Failure> {
        match stale {
            true => self.gate.read_stale(|ledger, _| query(ledger)).await,
            false => self.gate.read(query).await,
        }
    }

    /// What is to be ended is not there: done, if an earlier try of this request has ended it.
    async fn ended_before(
        &self,
        caller: &Caller,
        change: &decode::Change,
        missing: Refusal,
    ) -> Result<DeleteResponse, Failure> {
        let before = self
            .gate
            .answered_before(&caller.principal, &change.request_id);
        match before.await? {
            Some((Outcome::Done, revision)) => Ok(DeleteResponse {
                revision: revision.0,
            }),
            _ => Err(Failure::Refused(missing)),
        }
    }

    /// A command that has nothing to say but its revision.
    async fn propose_end(
        &self,
        caller: &Caller,
        change: decode::Change,
        command: Command,
    ) -> Result<DeleteResponse, Failure> {
        let (revision, _) = self.propose(caller, change, command).await?;
        Ok(DeleteResponse {
            revision: revision.0,
        })
    }
}

/// Takes the caller off a request and answers it by one of the service's functions, named alike.
macro_rules! answered {
    ($self:ident, $request:ident, $noun:ident::$function:ident) => {{
        let (caller, request) = super::taken($request)?;
        let answer = $noun::$function($self, &caller, request).await?;
        Ok(Response::new(answer))
    }};
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Admin for AdminService {
    async fn create_v_switch(&self, request: Request<CreateVSwitchRequest>) -> Answered<VSwitch> {
        answered!(self, request, vswitch::create)
    }
    async fn set_v_switch(&self, request: Request<SetVSwitchRequest>) -> Answered<VSwitch> {
        answered!(self, request, vswitch::set)
    }
    async fn delete_v_switch(
        &self,
        request: Request<DeleteVSwitchRequest>,
    ) -> Answered<DeleteResponse> {
        answered!(self, request, vswitch::delete)
    }
    async fn get_v_switch(&self, request: Request<GetVSwitchRequest>) -> Answered<VSwitch> {
        answered!(self, request, vswitch::get)
    }
    async fn list_v_switches(
        &self,
        request: Request<ListVSwitchesRequest>,
    ) -> Answered<ListVSwitchesResponse> {
        answered!(self, request, vswitch::list)
    }

    async fn register_node(&self, request: Request<RegisterNodeRequest>) -> Answered<Node> {
        answered!(self, request, node::register)
    }
    async fn remove_node(&self, request: Request<RemoveNodeRequest>) -> Answered<DeleteResponse> {
        answered!(self, request, node::remove)
    }
    async fn get_node(&self, request: Request<GetNodeRequest>) -> Answered<Node> {
        answered!(self, request, node::get)
    }
    async fn list_nodes(&self, request: Request<ListNodesRequest>) -> Answered<ListNodesResponse> {
        answered!(self, request, node::list)
    }

    async fn set_node_pool(&self, request: Request<SetNodePoolRequest>) -> Answered<NodePool> {
        answered!(self, request, pool::set)
    }
    async fn delete_node_pool(
        &self,
        request: Request<DeleteNodePoolRequest>,
    ) -> Answered<DeleteResponse> {
        answered!(self, request, pool::delete)
    }
    async fn get_node_pool(&self, request: Request<GetNodePoolRequest>) -> Answered<NodePool> {
        answered!(self, request, pool::get)
    }
    async fn list_node_pools(
        &self,
        request: Request<ListNodePoolsRequest>,
    ) -> Answered<ListNodePoolsResponse> {
        answered!(self, request, pool::list)
    }
    async fn list_enis(&self, request: Request<ListEnisRequest>) -> Answered<ListEnisResponse> {
        answered!(self, request, eni::list)
    }
    async fn list_jobs(&self, request: Request<ListJobsRequest>) -> Answered<ListJobsResponse> {
        answered!(self, request, job::list)
    }

    async fn cloud_status(
        &self,
        request: Request<CloudStatusRequest>,
    ) -> Answered<CloudStatusResponse> {
        answered!(self, request, cloud::status)
    }

    async fn compare_cloud(
        &self,
        request: Request<CompareCloudRequest>,
    ) -> Answered<CompareCloudResponse> {
        answered!(self, request, cloud::compare)
    }

    async fn create_claim(&self, request: Request<CreateClaimRequest>) -> Answered<Claim> {
        answered!(self, request, claim::create)
    }
    async fn delete_claim(&self, request: Request<DeleteClaimRequest>) -> Answered<DeleteResponse> {
        answered!(self, request, claim::delete)
    }
    async fn get_claim(&self, request: Request<GetClaimRequest>) -> Answered<Claim> {
        answered!(self, request, claim::get)
    }
    async fn list_claims(
        &self,
        request: Request<ListClaimsRequest>,
    ) -> Answered<ListClaimsResponse> {
        answered!(self, request, claim::list)
    }

    async fn list_allocations(
        &self,
        request: Request<ListAllocationsRequest>,
    ) -> Answered<ListAllocationsResponse> {
        answered!(self, request, allocation::list)
    }
    async fn explain_pod(
        &self,
        request: Request<ExplainPodRequest>,
    ) -> Answered<ExplainPodResponse> {
        answered!(self, request, explain::pod)
    }

    async fn list_history(
        &self,
        request: Request<ListHistoryRequest>,
    ) -> Answered<ListHistoryResponse> {
        answered!(self, request, history::list)
    }
    async fn who_has(&self, request: Request<WhoHasRequest>) -> Answered<WhoHasResponse> {
        answered!(self, request, history::who_has)
    }
    type WatchHistoryStream = BoxStream<'static, Result<EventGroup, Status>>;
    async fn watch_history(
        &self,
        request: Request<WatchHistoryRequest>,
    ) -> Answered<Self::WatchHistoryStream> {
        answered!(self, request, history::watch)
    }

    async fn cluster_status(
        &self,
        request: Request<ClusterStatusRequest>,
    ) -> Answered<ClusterStatusResponse> {
        answered!(self, request, cluster::status)
    }
    async fn transfer_leadership(
        &self,
        request: Request<TransferLeadershipRequest>,
    ) -> Answered<TransferLeadershipResponse> {
        answered!(self, request, cluster::transfer)
    }
    async fn list_members(
        &self,
        request: Request<ListMembersRequest>,
    ) -> Answered<ListMembersResponse> {
        answered!(self, request, member::list)
    }
    async fn promote_member(
        &self,
        request: Request<PromoteMemberRequest>,
    ) -> Answered<ChangeMemberResponse> {
        answered!(self, request, member::promote)
    }
    async fn remove_member(
        &self,
        request: Request<RemoveMemberRequest>,
    ) -> Answered<ChangeMemberResponse> {
        answered!(self, request, member::remove)
    }
    async fn set_cluster_version(
        &self,
        request: Request<SetClusterVersionRequest>,
    ) -> Answered<SetClusterVersionResponse> {
        answered!(self, request, version::set)
    }
    async fn ledger_digest(
        &self,
        request: Request<LedgerDigestRequest>,
    ) -> Answered<LedgerDigestResponse> {
        answered!(self, request, cluster::digest)
    }

    async fn capacity(&self, request: Request<CapacityRequest>) -> Answered<CapacityResponse> {
        answered!(self, request, capacity::of)
    }
    async fn validate_plan(
        &self,
        request: Request<ValidatePlanRequest>,
    ) -> Answered<ValidatePlanResponse> {
        answered!(self, request, plan::validate)
    }
}
