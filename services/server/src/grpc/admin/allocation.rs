//! Allocations, in pages.

use super::view::cursor;
use super::{AdminService, view};
use crate::failure::Failure;
use crate::grpc::decode::{self, optional_name};
use crate::grpc::principal::Caller;
use berth_domain::id::{Namespace, NodeName, PodName, VSwitchName};
use berth_proto::v1;
use std::sync::Arc;

/// What a list is narrowed to; everything that is set must hold.
pub(super) struct Filter {
    pub node: Option<NodeName>,
    pub vswitch: Option<VSwitchName>,
    pub namespace: Option<Namespace>,
    pub pod: Option<PodName>,
}

/// Turns on the replica's thread for one page of a narrow filter over many rows; then the caller asks again.
const TURNS_MAX: usize = 32;

pub(super) async fn list(
    service: &AdminService,
    _caller: &Caller,
    request: v1::ListAllocationsRequest,
) -> Result<v1::ListAllocationsResponse, Failure> {
    let size = decode::page_size(request.page_size)?;
    let mut next = cursor::read(&request.page_token)?;
    let filter = Arc::new(Filter {
        node: optional_name("node", &request.node, NodeName::new)?,
        vswitch: optional_name("vswitch", &request.vswitch, VSwitchName::new)?,
        namespace: optional_name("namespace", &request.namespace, Namespace::new)?,
        pod: optional_name("pod", &request.pod, PodName::new)?,
    });
    let mut page = v1::ListAllocationsResponse::default();
    for _ in 0..TURNS_MAX {
        let (filter, left) = (Arc::clone(&filter), size - page.allocations.len());
        let turn = service.look(request.stale, move |ledger| {
            let found = view::allocations(ledger, &filter, next, left);
            found.map(|(rows, next)| (rows, next, ledger.revision()))
        });
        let (rows, after, revision) = turn.await??;
        page.allocations.extend(rows);
        page.revision = revision.0;
        next = after;
        if next.is_none() || page.allocations.len() == size {
            break;
        }
    }
    page.next_page_token = cursor::write(next);
    Ok(page)
}
