//! The administrator's half of the fake: two calls behave, the rest is not there.

use super::*;
use berth_proto::v1::admin_server::Admin;

type Refused<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Admin for Heart {
    type WatchHistoryStream = tokio_stream::Empty<Result<EventGroup, Status>>;

    async fn create_v_switch(&self, request: Request<CreateVSwitchRequest>) -> Refused<VSwitch> {
        let change = request.get_ref().change.clone().unwrap_or_default();
        let behaviour = self.see(&request, 0, &change.request_id);
        let answer = |revision| VSwitch {
            revision,
            ..Default::default()
        };
        self.behave(behaviour, answer).await
    }

    async fn transfer_leadership(
        &self,
        request: Request<TransferLeadershipRequest>,
    ) -> Refused<TransferLeadershipResponse> {
        let behaviour = self.see(&request, 0, "");
        self.state().transfers += 1;
        self.behave(behaviour, |leader_id| TransferLeadershipResponse {
            leader_id,
        })
        .await
    }

    async fn set_v_switch(&self, _: Request<SetVSwitchRequest>) -> Refused<VSwitch> {
        Err(Status::unimplemented("not here"))
    }

    async fn delete_v_switch(&self, _: Request<DeleteVSwitchRequest>) -> Refused<DeleteResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_v_switch(&self, _: Request<GetVSwitchRequest>) -> Refused<VSwitch> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_v_switches(
        &self,
        _: Request<ListVSwitchesRequest>,
    ) -> Refused<ListVSwitchesResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn register_node(&self, _: Request<RegisterNodeRequest>) -> Refused<Node> {
        Err(Status::unimplemented("not here"))
    }

    async fn remove_node(&self, _: Request<RemoveNodeRequest>) -> Refused<DeleteResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_node(&self, _: Request<GetNodeRequest>) -> Refused<Node> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_nodes(&self, _: Request<ListNodesRequest>) -> Refused<ListNodesResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn set_node_pool(&self, _: Request<SetNodePoolRequest>) -> Refused<NodePool> {
        Err(Status::unimplemented("not here"))
    }

    async fn delete_node_pool(&self, _: Request<DeleteNodePoolRequest>) -> Refused<DeleteResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_node_pool(&self, _: Request<GetNodePoolRequest>) -> Refused<NodePool> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_node_pools(
        &self,
        _: Request<ListNodePoolsRequest>,
    ) -> Refused<ListNodePoolsResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_enis(&self, _: Request<ListEnisRequest>) -> Refused<ListEnisResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_jobs(&self, _: Request<ListJobsRequest>) -> Refused<ListJobsResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn cloud_status(&self, _: Request<CloudStatusRequest>) -> Refused<CloudStatusResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn compare_cloud(
        &self,
        _: Request<CompareCloudRequest>,
    ) -> Refused<CompareCloudResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn create_claim(&self, _: Request<CreateClaimRequest>) -> Refused<Claim> {
        Err(Status::unimplemented("not here"))
    }

    async fn delete_claim(&self, _: Request<DeleteClaimRequest>) -> Refused<DeleteResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_claim(&self, _: Request<GetClaimRequest>) -> Refused<Claim> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_claims(&self, _: Request<ListClaimsRequest>) -> Refused<ListClaimsResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_allocations(
        &self,
        _: Request<ListAllocationsRequest>,
    ) -> Refused<ListAllocationsResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn explain_pod(&self, _: Request<ExplainPodRequest>) -> Refused<ExplainPodResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_history(&self, _: Request<ListHistoryRequest>) -> Refused<ListHistoryResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn who_has(&self, _: Request<WhoHasRequest>) -> Refused<WhoHasResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn watch_history(
        &self,
        _: Request<WatchHistoryRequest>,
    ) -> Refused<Self::WatchHistoryStream> {
        Err(Status::unimplemented("not here"))
    }

    async fn cluster_status(
        &self,
        _: Request<ClusterStatusRequest>,
    ) -> Refused<ClusterStatusResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_members(&self, _: Request<ListMembersRequest>) -> Refused<ListMembersResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn promote_member(
        &self,
        _: Request<PromoteMemberRequest>,
    ) -> Refused<ChangeMemberResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn remove_member(
        &self,
        _: Request<RemoveMemberRequest>,
    ) -> Refused<ChangeMemberResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn set_cluster_version(
        &self,
        _: Request<SetClusterVersionRequest>,
    ) -> Refused<SetClusterVersionResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn ledger_digest(
        &self,
        _: Request<LedgerDigestRequest>,
    ) -> Refused<LedgerDigestResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn capacity(&self, _: Request<CapacityRequest>) -> Refused<CapacityResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn validate_plan(
        &self,
        _: Request<ValidatePlanRequest>,
    ) -> Refused<ValidatePlanResponse> {
        Err(Status::unimplemented("not here"))
    }
}
