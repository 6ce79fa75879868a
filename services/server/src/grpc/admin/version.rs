//! The cluster version: raised on an administrator's word.

use super::AdminService;
use crate::failure::Failure;
use crate::grpc::decode;
use crate::grpc::principal::Caller;
use berth_domain::command::{Command, Proposal, SetClusterVersion};
use berth_domain::version::ClusterVersion;
use berth_proto::v1;

pub(super) async fn set(
    service: &AdminService,
    caller: &Caller,
    request: v1::SetClusterVersionRequest,
) -> Result<v1::SetClusterVersionResponse, Failure> {
    let change = decode::change(request.change)?;
    if request.to == 0 {
        return Err(decode::invalid("to", "is 0: the first cluster version is 1").into());
    }
    let to = ClusterVersion(request.to);
    let proposal = Proposal {
        principal: caller.principal.clone(),
        request_id: change.request_id,
        trace_id: caller.trace_id,
        reason: change.reason,
        facts: None,
        command: Command::SetClusterVersion(SetClusterVersion { to }),
    };
    let revision = service.gate.raise(proposal, to).await?;
    Ok(v1::SetClusterVersionResponse {
        version: request.to,
        revision: revision.0,
    })
}
