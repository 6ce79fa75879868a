//! What can be mended now.

use super::mending;
use crate::facts::Lookup;
use crate::failure::Failure;
use crate::grpc::decode::number;
use crate::leader::Gate;
use berth_domain::id::ClaimName;
use berth_domain::repair;
use berth_proto::v1;

/// Findings in one answer, if the caller does not say.
const FINDINGS: u32 = 100;
/// And at most.
const FINDINGS_MAX: u32 = 500;

/// Frozen on the replica's thread, looked through elsewhere: a million rows take a while.
pub(super) async fn plan(
    gate: &Gate,
    request: v1::PlanRepairRequest,
) -> Result<v1::PlanRepairResponse, Failure> {
    let limit = match request.limit {
        0 => FINDINGS,
        said => number("limit", said, 1..=FINDINGS_MAX)?,
    };
    let (ledger, _) = gate.freeze().await?;
    let facts = gate.facts().clone();
    let planned = tokio::task::spawn_blocking(move || {
        let is_gone = |claim: &ClaimName| {
            let fact = facts.pod(&claim.cluster, &claim.namespace, &claim.pod);
            matches!(fact, Lookup::Gone(_))
        };
        let findings = repair::plan(&ledger, &is_gone, limit as usize);
        v1::PlanRepairResponse {
            findings: findings.iter().filter_map(mending::finding).collect(),
            revision: ledger.revision().0,
        }
    });
    planned.await.map_err(|error| Failure::Unavailable {
        reason: format!("the plan was not finished: {error}"),
    })
}
