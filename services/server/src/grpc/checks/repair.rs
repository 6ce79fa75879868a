//! Mends one finding.

use super::mending;
use crate::failure::Failure;
use crate::grpc::decode;
use crate::grpc::principal::Caller;
use crate::leader::Gate;
use berth_domain::command::Proposal;
use berth_proto::v1;

pub(super) async fn repair(
    gate: &Gate,
    caller: &Caller,
    request: v1::RepairRequest,
) -> Result<v1::RepairResponse, Failure> {
    let change = decode::change(request.change)?;
    let proposal = Proposal {
        principal: caller.principal.clone(),
        request_id: change.request_id,
        trace_id: caller.trace_id,
        reason: change.reason,
        facts: None,
        command: mending::command(request.mending)?,
    };
    let answer = gate.propose(proposal).await?;
    answer.result?;
    Ok(v1::RepairResponse {
        revision: answer.revision.0,
    })
}
