//! Cloud calls under way: list.

use super::{AdminService, node, view};
use crate::failure::Failure;
use crate::grpc::decode::{self, optional_name};
use crate::grpc::principal::Caller;
use berth_domain::id::NodeName;
use berth_proto::v1;

pub(super) async fn list(
    service: &AdminService,
    _caller: &Caller,
    request: v1::ListJobsRequest,
) -> Result<v1::ListJobsResponse, Failure> {
    let size = decode::page_size(request.page_size)?;
    let after = decode::page_number(&request.page_token)?;
    let of = optional_name("node", &request.node, NodeName::new)?;
    let page = service.look(request.stale, move |ledger| {
        let node = node::of(ledger, of)?;
        Ok::<_, Failure>(view::jobs(ledger, node, after, size))
    });
    let (jobs, next_page_token, revision) = page.await??;
    Ok(v1::ListJobsResponse {
        jobs,
        next_page_token,
        revision,
    })
}
