//! ENIs that Berth has made: list.

use super::{AdminService, node, view};
use crate::failure::Failure;
use crate::grpc::decode::{self, optional_name};
use crate::grpc::principal::Caller;
use berth_domain::id::NodeName;
use berth_proto::v1;

pub(super) async fn list(
    service: &AdminService,
    _caller: &Caller,
    request: v1::ListEnisRequest,
) -> Result<v1::ListEnisResponse, Failure> {
    let size = decode::page_size(request.page_size)?;
    let after = decode::page_number(&request.page_token)?;
    let of = optional_name("node", &request.node, NodeName::new)?;
    let page = service.look(request.stale, move |ledger| {
        let node = node::of(ledger, of)?;
        Ok::<_, Failure>(view::enis(ledger, node, after, size))
    });
    let (enis, next_page_token, revision) = page.await??;
    Ok(v1::ListEnisResponse {
        enis,
        next_page_token,
        revision,
    })
}
