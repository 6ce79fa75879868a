//! A server that notes what it is asked and answers from a script.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use berth_proto::v1::admin_server::{Admin, AdminServer};
use berth_proto::v1::facts_report::Report;
use berth_proto::v1::facts_server::{Facts, FactsServer};
use berth_proto::v1::*;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

/// What was asked, in order, as Rust shows it.
pub type Asked = Arc<Mutex<Vec<String>>>;

#[derive(Clone, Default)]
pub struct StandIn {
    pub asked: Asked,
    /// What `ledger_digest` answers.
    pub digest: &'static str,
}

// === impl StandIn ===

impl StandIn {
    /// Serves on a free port until the test ends; its endpoint.
    pub fn serve(self) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let server = tonic::transport::Server::builder()
                    .add_service(AdminServer::new(self.clone()))
                    .add_service(FactsServer::new(self));
                server
                    .serve_with_incoming(TcpListenerStream::new(listener))
                    .await
                    .expect("it serves");
            });
        });
        endpoint
    }

    fn note(&self, request: &impl std::fmt::Debug) {
        self.asked
            .lock()
            .expect("no panic under it")
            .push(format!("{request:?}"));
    }
}

fn refused() -> Status {
    let refusal = Refusal {
        code: RefusalCode::Overlap.into(),
        message: "10.0.3.0/24 overlaps zone-b's 10.0.0.0/16".to_owned(),
        field: "ipv4_cidr".to_owned(),
        ..Refusal::default()
    };
    let details = prost::Message::encode_to_vec(&refusal);
    Status::with_details(tonic::Code::AlreadyExists, refusal.message, details.into())
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send + 'a>>;

/// Written as `async_trait` would, because it does not look into macros.
macro_rules! not_scripted {
    ($($name:ident($request:ty) -> $response:ty;)*) => { $(
        fn $name<'a, 'b>(&'a self, request: Request<$request>) -> Answer<'b, $response>
        where 'a: 'b, Self: 'b
        {
            self.note(request.get_ref());
            Box::pin(async { Err(Status::unimplemented("the stand-in has no answer to that")) })
        }
    )* };
}

#[tonic::async_trait]
impl Admin for StandIn {
    type WatchHistoryStream = Pin<Box<dyn Stream<Item = Result<EventGroup, Status>> + Send>>;

    async fn create_v_switch(
        &self,
        request: Request<CreateVSwitchRequest>,
    ) -> Result<Response<VSwitch>, Status> {
        self.note(request.get_ref());
        Err(refused())
    }

    async fn register_node(
        &self,
        request: Request<RegisterNodeRequest>,
    ) -> Result<Response<Node>, Status> {
        self.note(request.get_ref());
        let RegisterNodeRequest { name, identity, .. } = request.into_inner();
        Ok(Response::new(Node {
            name,
            identity,
            ..Node::default()
        }))
    }

    /// Two pages of one node each.
    async fn list_nodes(
        &self,
        request: Request<ListNodesRequest>,
    ) -> Result<Response<ListNodesResponse>, Status> {
        let first = request.get_ref().page_token.is_empty();
        let (name, next) = if first {
            ("worker-1", "more")
        } else {
            ("worker-2", "")
        };
        let node = Node {
            name: name.to_owned(),
            ..Node::default()
        };
        Ok(Response::new(ListNodesResponse {
            nodes: vec![node],
            next_page_token: next.to_owned(),
            revision: 7,
        }))
    }

    /// Three events, a page of two and a page of one.
    async fn list_history(
        &self,
        request: Request<ListHistoryRequest>,
    ) -> Result<Response<ListHistoryResponse>, Status> {
        self.note(request.get_ref());
        let group = |revision| EventGroup {
            revision,
            ..EventGroup::default()
        };
        let (groups, more) = match request.get_ref().after_revision {
            0 => (vec![group(1), group(2)], true),
            _ => (vec![group(3)], false),
        };
        Ok(Response::new(ListHistoryResponse {
            groups,
            more,
            revision: 3,
        }))
    }

    async fn ledger_digest(
        &self,
        _: Request<LedgerDigestRequest>,
    ) -> Result<Response<LedgerDigestResponse>, Status> {
        let digest = self.digest.to_owned();
        Ok(Response::new(LedgerDigestResponse {
            applied_index: 5,
            digest,
            ..LedgerDigestResponse::default()
        }))
    }

    /// Refuses every plan with a node pool.
    async fn validate_plan(
        &self,
        request: Request<ValidatePlanRequest>,
    ) -> Result<Response<ValidatePlanResponse>, Status> {
        self.note(request.get_ref());
        let finding = |pool: &PlannedNodePool| PlanFinding {
            severity: "refused".to_owned(),
            code: "type_unknown".to_owned(),
            message: format!("node pool {}: no such type", pool.name),
        };
        let findings = request.get_ref().pools.iter().map(finding).collect();
        Ok(Response::new(ValidatePlanResponse { findings }))
    }

    async fn watch_history(
        &self,
        _: Request<WatchHistoryRequest>,
    ) -> Result<Response<Self::WatchHistoryStream>, Status> {
        Err(Status::unimplemented("the stand-in has no answer to that"))
    }

    not_scripted! {
        set_v_switch(SetVSwitchRequest) -> VSwitch;
        delete_v_switch(DeleteVSwitchRequest) -> DeleteResponse;
        get_v_switch(GetVSwitchRequest) -> VSwitch;
        list_v_switches(ListVSwitchesRequest) -> ListVSwitchesResponse;
        remove_node(RemoveNodeRequest) -> DeleteResponse;
        get_node(GetNodeRequest) -> Node;
        set_node_pool(SetNodePoolRequest) -> NodePool;
        delete_node_pool(DeleteNodePoolRequest) -> DeleteResponse;
        get_node_pool(GetNodePoolRequest) -> NodePool;
        list_node_pools(ListNodePoolsRequest) -> ListNodePoolsResponse;
        list_enis(ListEnisRequest) -> ListEnisResponse;
        list_jobs(ListJobsRequest) -> ListJobsResponse;
        cloud_status(CloudStatusRequest) -> CloudStatusResponse;
        compare_cloud(CompareCloudRequest) -> CompareCloudResponse;
        create_claim(CreateClaimRequest) -> Claim;
        delete_claim(DeleteClaimRequest) -> DeleteResponse;
        get_claim(GetClaimRequest) -> Claim;
        list_claims(ListClaimsRequest) -> ListClaimsResponse;
        list_allocations(ListAllocationsRequest) -> ListAllocationsResponse;
        explain_pod(ExplainPodRequest) -> ExplainPodResponse;
        who_has(WhoHasRequest) -> WhoHasResponse;
        cluster_status(ClusterStatusRequest) -> ClusterStatusResponse;
        transfer_leadership(TransferLeadershipRequest) -> TransferLeadershipResponse;
        list_members(ListMembersRequest) -> ListMembersResponse;
        promote_member(PromoteMemberRequest) -> ChangeMemberResponse;
        remove_member(RemoveMemberRequest) -> ChangeMemberResponse;
        set_cluster_version(SetClusterVersionRequest) -> SetClusterVersionResponse;
        capacity(CapacityRequest) -> CapacityResponse;
    }
}

#[tonic::async_trait]
impl Facts for StandIn {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<FactsAck, Status>> + Send>>;

    /// Acknowledges everything.
    async fn report(
        &self,
        request: Request<Streaming<FactsReport>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let server = self.clone();
        let acknowledge = move |report: Result<FactsReport, Status>| {
            let report = report?;
            if let Some(Report::Pod(_) | Report::Node(_) | Report::Synced(_)) = &report.report {
                server.note(&report.report);
            }
            Ok(FactsAck {
                version: report.version,
            })
        };
        Ok(Response::new(Box::pin(
            request.into_inner().map(acknowledge),
        )))
    }
}
