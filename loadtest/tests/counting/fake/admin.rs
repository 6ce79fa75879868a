//! The administrator's half of the fake: what a load test asks for, and nothing more.

use super::*;
use berth_proto::v1::admin_server::Admin;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Admin for Fake {
    type WatchHistoryStream = tokio_stream::Empty<Result<EventGroup, Status>>;

    async fn cluster_status(
        &self,
        _: Request<ClusterStatusRequest>,
    ) -> Answer<ClusterStatusResponse> {
        let member = Member {
            id: 1,
            client_endpoint: self.endpoint.clone(),
            ..Default::default()
        };
        Ok(Response::new(ClusterStatusResponse {
            leader_id: 1,
            member_id: 1,
            members: vec![member],
            version: "fake".into(),
            ..Default::default()
        }))
    }

    async fn create_v_switch(&self, _: Request<CreateVSwitchRequest>) -> Answer<VSwitch> {
        Ok(Response::new(VSwitch::default()))
    }

    async fn register_node(&self, _: Request<RegisterNodeRequest>) -> Answer<Node> {
        Ok(Response::new(Node::default()))
    }

    async fn list_allocations(
        &self,
        request: Request<ListAllocationsRequest>,
    ) -> Answer<ListAllocationsResponse> {
        let request = request.into_inner();
        let begin: usize = request.page_token.parse().unwrap_or(0);
        let all = self.listed();
        let end = all.len().min(begin + request.page_size as usize);
        Ok(Response::new(ListAllocationsResponse {
            allocations: all[begin..end].to_vec(),
            next_page_token: if end < all.len() {
                end.to_string()
            } else {
                String::new()
            },
            revision: 1,
        }))
    }

    async fn set_v_switch(&self, _: Request<SetVSwitchRequest>) -> Answer<VSwitch> {
        Err(Status::unimplemented("not here"))
    }

    async fn delete_v_switch(&self, _: Request<DeleteVSwitchRequest>) -> Answer<DeleteResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_v_switch(&self, _: Request<GetVSwitchRequest>) -> Answer<VSwitch> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_v_switches(
        &self,
        _: Request<ListVSwitchesRequest>,
    ) -> Answer<ListVSwitchesResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn remove_node(&self, _: Request<RemoveNodeRequest>) -> Answer<DeleteResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_node(&self, _: Request<GetNodeRequest>) -> Answer<Node> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_nodes(&self, _: Request<ListNodesRequest>) -> Answer<ListNodesResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn set_node_pool(&self, _: Request<SetNodePoolRequest>) -> Answer<NodePool> {
        Err(Status::unimplemented("not here"))
    }

    async fn delete_node_pool(&self, _: Request<DeleteNodePoolRequest>) -> Answer<DeleteResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_node_pool(&self, _: Request<GetNodePoolRequest>) -> Answer<NodePool> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_node_pools(
        &self,
        _: Request<ListNodePoolsRequest>,
    ) -> Answer<ListNodePoolsResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_enis(&self, _: Request<ListEnisRequest>) -> Answer<ListEnisResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_jobs(&self, _: Request<ListJobsRequest>) -> Answer<ListJobsResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn cloud_status(&self, _: Request<CloudStatusRequest>) -> Answer<CloudStatusResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn compare_cloud(&self, _: Request<CompareCloudRequest>) -> Answer<CompareCloudResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn create_claim(&self, _: Request<CreateClaimRequest>) -> Answer<Claim> {
        Err(Status::unimplemented("not here"))
    }

    async fn delete_claim(&self, _: Request<DeleteClaimRequest>) -> Answer<DeleteResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_claim(&self, _: Request<GetClaimRequest>) -> Answer<Claim> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_claims(&self, _: Request<ListClaimsRequest>) -> Answer<ListClaimsResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn explain_pod(&self, _: Request<ExplainPodRequest>) -> Answer<ExplainPodResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_history(&self, _: Request<ListHistoryRequest>) -> Answer<ListHistoryResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn who_has(&self, _: Request<WhoHasRequest>) -> Answer<WhoHasResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn watch_history(
        &self,
        _: Request<WatchHistoryRequest>,
    ) -> Answer<Self::WatchHistoryStream> {
        Err(Status::unimplemented("not here"))
    }

    async fn transfer_leadership(
        &self,
        _: Request<TransferLeadershipRequest>,
    ) -> Answer<TransferLeadershipResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn set_cluster_version(
        &self,
        _: Request<SetClusterVersionRequest>,
    ) -> Answer<SetClusterVersionResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_members(&self, _: Request<ListMembersRequest>) -> Answer<ListMembersResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn promote_member(
        &self,
        _: Request<PromoteMemberRequest>,
    ) -> Answer<ChangeMemberResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn remove_member(&self, _: Request<RemoveMemberRequest>) -> Answer<ChangeMemberResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn ledger_digest(&self, _: Request<LedgerDigestRequest>) -> Answer<LedgerDigestResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn capacity(&self, _: Request<CapacityRequest>) -> Answer<CapacityResponse> {
        Err(Status::unimplemented("not here"))
    }

    async fn validate_plan(&self, _: Request<ValidatePlanRequest>) -> Answer<ValidatePlanResponse> {
        Err(Status::unimplemented("not here"))
    }
}
