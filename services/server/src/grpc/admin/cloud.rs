//! What the leader asks of the cloud.

use super::AdminService;
use crate::cloud::compare::{self, Difference};
use crate::cloud::state::Observation;
use crate::failure::Failure;
use crate::grpc::principal::Caller;
use berth_proto::v1;

pub(super) async fn status(
    service: &AdminService,
    _caller: &Caller,
    _request: v1::CloudStatusRequest,
) -> Result<v1::CloudStatusResponse, Failure> {
    let observed = service.gate.cloud().await?;
    Ok(observed.map_or_else(none, |observed| shown(&observed)))
}

pub(super) async fn compare(
    service: &AdminService,
    _caller: &Caller,
    _request: v1::CompareCloudRequest,
) -> Result<v1::CompareCloudResponse, Failure> {
    let Some((audit, age_ms)) = service.gate.last_audit().await? else {
        return Ok(v1::CompareCloudResponse::default());
    };
    let read = service.gate.read(move |ledger| {
        let enis = u32::try_from(audit.enis.len()).unwrap_or(u32::MAX);
        (compare::compare(ledger, &audit), enis, ledger.revision().0)
    });
    let (differences, enis, revision) = read.await?;
    let one = |found: Difference| v1::CloudDifference {
        kind: found.kind.name().into(),
        eni: found.eni,
        address: found.address.map_or_else(String::new, |at| at.to_string()),
        what: found.what,
        repair: found.kind.repair().into(),
    };
    Ok(v1::CompareCloudResponse {
        looked: true,
        age_ms,
        enis,
        differences: differences.into_iter().map(one).collect(),
        revision,
    })
}

fn none() -> v1::CloudStatusResponse {
    v1::CloudStatusResponse {
        level: "none".into(),
        ..v1::CloudStatusResponse::default()
    }
}

fn shown(observed: &Observation) -> v1::CloudStatusResponse {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let waiting = observed.waiting.iter();
    let calls = observed.calls.iter();
    v1::CloudStatusResponse {
        level: observed.level.name().into(),
        why: match observed.level {
            berth_cloud::budget::Level::Normal => String::new(),
            _ => observed.why.clone(),
        },
        waiting: waiting
            .map(|(lane, waiting)| v1::LaneCount {
                lane: lane.name().into(),
                count: count(*waiting),
            })
            .collect(),
        under_way: count(observed.out),
        jobs: count(observed.jobs),
        calls: calls
            .map(|(action, (calls, per_minute))| v1::ActionCount {
                action: (*action).into(),
                count: *calls,
                per_minute: *per_minute,
            })
            .collect(),
    }
}
