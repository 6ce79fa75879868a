//! Every call of `berth.v1`, one line each: what is sent, what comes back, and whether it may be sent twice.

use std::time::Duration;

use berth_proto::v1::admin_client::AdminClient;
use berth_proto::v1::allocator_client::AllocatorClient;
use berth_proto::v1::checks_client::ChecksClient;
use berth_proto::v1::facts_client::FactsClient;
use berth_proto::v1::recovery_client::RecoveryClient;
use berth_proto::v1::*;
use tonic::Streaming;

use crate::call::{Method, run};
use crate::{Client, Error, request_id};

/// What a request learns from the call that carries it.
pub(crate) trait Carried: Clone + Send + 'static {
    /// How long the caller still waits, each time it is sent.
    fn set_remaining(&mut self, _remaining: Duration) {}
    /// Once, before it is first sent.
    fn prepare(&mut self) {}
}

/// Bounds of `deadline_ms` on the wire; see allocator.proto.
const DEADLINE_MS: (u64, u64) = (1_000, 120_000);

fn deadline_ms(remaining: Duration) -> u64 {
    let ms = u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX);
    ms.clamp(DEADLINE_MS.0, DEADLINE_MS.1)
}

/// The server parks an ADD until half a second before the deadline it was told, which is a second at least: with less
/// left than this, an ADD could be done for a caller who has gone.
const ALLOCATE_LEAST: Duration = Duration::from_millis(600);

impl Carried for AllocateRequest {
    fn set_remaining(&mut self, remaining: Duration) {
        self.deadline_ms = deadline_ms(remaining);
    }
}

impl Carried for ReleaseRequest {
    fn set_remaining(&mut self, remaining: Duration) {
        self.deadline_ms = deadline_ms(remaining);
    }
}

macro_rules! plain {
    ($($request:ty),* $(,)?) => { $( impl Carried for $request {} )* };
}

plain!(
    CheckRequest,
    CollectRequest,
    StatusRequest,
    GetVSwitchRequest,
    ListVSwitchesRequest,
    GetNodeRequest,
    ListNodesRequest,
    GetNodePoolRequest,
    ListNodePoolsRequest,
    ListEnisRequest,
    ListJobsRequest,
    CloudStatusRequest,
    CompareCloudRequest,
    GetClaimRequest,
    ListClaimsRequest,
    ListAllocationsRequest,
    ExplainPodRequest,
    ListHistoryRequest,
    WhoHasRequest,
    ClusterStatusRequest,
    LedgerDigestRequest,
    CapacityRequest,
    ValidatePlanRequest,
    TransferLeadershipRequest,
    ListMembersRequest,
    GetRecoveryRequest,
    NodeReportRequest,
    HashAtRequest,
    PlanRepairRequest,
    VerifyHistoryRequest,
);

/// Changes carry a request id, so that a repeat is answered with the first result; the caller's own is kept.
macro_rules! changes {
    ($($request:ty),* $(,)?) => { $( impl Carried for $request {
        fn prepare(&mut self) {
            let change = self.change.get_or_insert_default();
            if change.request_id.is_empty() {
                change.request_id = request_id();
            }
        }
    } )* };
}

changes!(
    CreateVSwitchRequest,
    DeleteVSwitchRequest,
    SetVSwitchRequest,
    RegisterNodeRequest,
    RemoveNodeRequest,
    SetNodePoolRequest,
    DeleteNodePoolRequest,
    CreateClaimRequest,
    DeleteClaimRequest,
    PromoteMemberRequest,
    RemoveMemberRequest,
    SetClusterVersionRequest,
    ConfirmNodeRequest,
    RepairRequest,
);

macro_rules! calls {
    ($service:ident: $( $(#[$doc:meta])* $name:ident = $inner:ident($request:ty) -> $response:ty, $method:expr; )*) => {
        impl Client { $(
            $(#[$doc])*
            pub async fn $name(&self, request: $request) -> Result<$response, Error> {
                run(self, $method, request, |channel, request| async move {
                    $service::new(channel).$inner(request).await
                }).await
            }
        )* }
    };
}

const REPEATABLE: Method = Method {
    repeatable: true,
    stream: false,
    least: Duration::ZERO,
};
const ALLOCATE: Method = Method {
    least: ALLOCATE_LEAST,
    ..REPEATABLE
};
const ONCE: Method = Method {
    repeatable: false,
    ..REPEATABLE
};
const STREAM: Method = Method {
    stream: true,
    ..REPEATABLE
};

calls! { AllocatorClient:
    /// ADD. `deadline_ms` is set from the call's deadline.
    allocate = allocate(AllocateRequest) -> AllocateResponse, ALLOCATE;
    /// DEL. `deadline_ms` is set from the call's deadline.
    release = release(ReleaseRequest) -> ReleaseResponse, REPEATABLE;
    /// CHECK.
    check = check(CheckRequest) -> CheckResponse, REPEATABLE;
    /// GC.
    collect = collect(CollectRequest) -> CollectResponse, REPEATABLE;
    /// STATUS.
    status = status(StatusRequest) -> StatusResponse, REPEATABLE;
}

calls! { AdminClient:
    /// A new vSwitch. An empty request id is replaced by a fresh one, here and in every change.
    create_vswitch = create_v_switch(CreateVSwitchRequest) -> VSwitch, REPEATABLE;
    /// Other CIDRs, exclusions or rest of a vSwitch.
    set_vswitch = set_v_switch(SetVSwitchRequest) -> VSwitch, REPEATABLE;
    /// Ends a vSwitch that nothing uses.
    delete_vswitch = delete_v_switch(DeleteVSwitchRequest) -> DeleteResponse, REPEATABLE;
    /// One vSwitch.
    get_vswitch = get_v_switch(GetVSwitchRequest) -> VSwitch, REPEATABLE;
    /// A page of vSwitches.
    list_vswitches = list_v_switches(ListVSwitchesRequest) -> ListVSwitchesResponse, REPEATABLE;
    /// Makes a node known, or changes its attributes.
    register_node = register_node(RegisterNodeRequest) -> Node, REPEATABLE;
    /// Forgets a node.
    remove_node = remove_node(RemoveNodeRequest) -> DeleteResponse, REPEATABLE;
    /// One node.
    get_node = get_node(GetNodeRequest) -> Node, REPEATABLE;
    /// A page of nodes.
    list_nodes = list_nodes(ListNodesRequest) -> ListNodesResponse, REPEATABLE;
    /// Makes a pool of nodes, or changes one. The same again changes nothing.
    set_node_pool = set_node_pool(SetNodePoolRequest) -> NodePool, REPEATABLE;
    /// Ends a pool that has no nodes.
    delete_node_pool = delete_node_pool(DeleteNodePoolRequest) -> DeleteResponse, REPEATABLE;
    /// One pool.
    get_node_pool = get_node_pool(GetNodePoolRequest) -> NodePool, REPEATABLE;
    /// All pools.
    list_node_pools = list_node_pools(ListNodePoolsRequest) -> ListNodePoolsResponse, REPEATABLE;
    /// ENIs that Berth has made.
    list_enis = list_enis(ListEnisRequest) -> ListEnisResponse, REPEATABLE;
    /// Cloud calls under way.
    list_jobs = list_jobs(ListJobsRequest) -> ListJobsResponse, REPEATABLE;
    /// What the leader asks of the cloud.
    cloud_status = cloud_status(CloudStatusRequest) -> CloudStatusResponse, REPEATABLE;
    /// What cloud and ledger do not have alike.
    compare_cloud = compare_cloud(CompareCloudRequest) -> CompareCloudResponse, REPEATABLE;
    /// A new claim.
    create_claim = create_claim(CreateClaimRequest) -> Claim, REPEATABLE;
    /// Ends a claim.
    delete_claim = delete_claim(DeleteClaimRequest) -> DeleteResponse, REPEATABLE;
    /// One claim.
    get_claim = get_claim(GetClaimRequest) -> Claim, REPEATABLE;
    /// A page of claims.
    list_claims = list_claims(ListClaimsRequest) -> ListClaimsResponse, REPEATABLE;
    /// A page of allocations.
    list_allocations = list_allocations(ListAllocationsRequest) -> ListAllocationsResponse, REPEATABLE;
    /// What is known of one pod.
    explain_pod = explain_pod(ExplainPodRequest) -> ExplainPodResponse, REPEATABLE;
    /// A page of the history.
    list_history = list_history(ListHistoryRequest) -> ListHistoryResponse, REPEATABLE;
    /// Who holds, or held, an address.
    who_has = who_has(WhoHasRequest) -> WhoHasResponse, REPEATABLE;
    /// What the replica that is asked knows of the cluster.
    cluster_status = cluster_status(ClusterStatusRequest) -> ClusterStatusResponse, REPEATABLE;
    /// Hands leadership over. Never sent twice: the second could move it again.
    transfer_leadership = transfer_leadership(TransferLeadershipRequest) -> TransferLeadershipResponse, ONCE;
    /// Who takes part.
    list_members = list_members(ListMembersRequest) -> ListMembersResponse, REPEATABLE;
    /// A learner gets its vote.
    promote_member = promote_member(PromoteMemberRequest) -> ChangeMemberResponse, REPEATABLE;
    /// A member leaves for good.
    remove_member = remove_member(RemoveMemberRequest) -> ChangeMemberResponse, REPEATABLE;
    /// Raises the cluster version. The same one again changes nothing.
    set_cluster_version = set_cluster_version(SetClusterVersionRequest) -> SetClusterVersionResponse, REPEATABLE;
    /// A digest of the whole ledger at the replica that is asked.
    ledger_digest = ledger_digest(LedgerDigestRequest) -> LedgerDigestResponse, REPEATABLE;
    /// What a node of an instance type has room for.
    capacity = capacity(CapacityRequest) -> CapacityResponse, REPEATABLE;
    /// What in an address plan does not go together.
    validate_plan = validate_plan(ValidatePlanRequest) -> ValidatePlanResponse, REPEATABLE;
    /// The history from a revision on, then as it comes. The deadline is for the first answer, not for the stream.
    watch_history = watch_history(WatchHistoryRequest) -> Streaming<EventGroup>, STREAM;
}

calls! { ChecksClient:
    /// The hash of the history at a revision, of the replica that is asked.
    hash_at = hash_at(HashAtRequest) -> HashAtResponse, REPEATABLE;
    /// The whole history of the replica that is asked, read again. The deadline is for the first answer, not for the stream.
    verify_history = verify_history(VerifyHistoryRequest) -> Streaming<VerifyHistoryResponse>, STREAM;
    /// What can be mended.
    plan_repair = plan_repair(PlanRepairRequest) -> PlanRepairResponse, REPEATABLE;
    /// Mends one finding.
    repair = repair(RepairRequest) -> RepairResponse, REPEATABLE;
}

calls! { RecoveryClient:
    /// A backup, as the bytes of its file. The deadline is for the first answer, not for the stream.
    save_snapshot = save_snapshot(SaveSnapshotRequest) -> Streaming<SaveSnapshotResponse>, STREAM;
    /// The last recovery.
    get_recovery = get_recovery(GetRecoveryRequest) -> GetRecoveryResponse, REPEATABLE;
    /// Everything that lives on a node, by its own word.
    node_report = node_report(NodeReportRequest) -> ConfirmNodeResponse, REPEATABLE;
    /// Nothing lives on a node but what is known, by an administrator's word.
    confirm_node = confirm_node(ConfirmNodeRequest) -> ConfirmNodeResponse, REPEATABLE;
}

impl Carried for WatchHistoryRequest {}

impl Carried for SaveSnapshotRequest {}

impl Client {
    /// Opens a stream of facts to the leader. `reports` is called for each try, as a stream that was begun cannot be begun
    /// again. [`crate::FactsSource`] does the rest of it.
    pub async fn report_facts<S, M>(&self, reports: M) -> Result<Streaming<FactsAck>, Error>
    where
        S: futures::Stream<Item = FactsReport> + Send + 'static,
        M: Fn() -> S,
    {
        run(self, STREAM, (), |channel, request| {
            let (metadata, extensions, ()) = request.into_parts();
            let request = tonic::Request::from_parts(metadata, extensions, reports());
            async move { FactsClient::new(channel).report(request).await }
        })
        .await
    }
}

impl Carried for () {}
