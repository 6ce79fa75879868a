//! The replicas: who leads, how far each is, whether their ledgers are the same.

use super::{AdminService, view};
use crate::failure::Failure;
use crate::grpc::decode;
use crate::grpc::event::hex;
use crate::grpc::principal::Caller;
use berth_domain::id::{MemberId, Reason};
use berth_domain::invariant;
use berth_domain::version::APPLIES;
use berth_proto::v1;
use tracing::info;

/// This replica's own view, perhaps stale: it answers without a leader too, which is when it is needed most.
pub(super) async fn status(
    service: &AdminService,
    _caller: &Caller,
    _request: v1::ClusterStatusRequest,
) -> Result<v1::ClusterStatusResponse, Failure> {
    let mut status = service.gate.read_stale(view::cluster).await?;
    status.history_through_revision = service.gate.history().through().0;
    status.version = service.version.into();
    let versions = service.gate.versions();
    status.version_waits_for = versions.waits_for();
    status.member_versions = status
        .members
        .iter()
        .map(|member| {
            let is_me = member.id == status.member_id;
            let said = match is_me {
                true => Some(APPLIES),
                false => versions.of(MemberId(member.id)),
            };
            v1::MemberVersions {
                member_id: member.id,
                lowest: said.map_or(0, |range| range.lowest.0),
                highest: said.map_or(0, |range| range.highest.0),
            }
        })
        .collect();
    Ok(status)
}

pub(super) async fn transfer(
    service: &AdminService,
    caller: &Caller,
    request: v1::TransferLeadershipRequest,
) -> Result<v1::TransferLeadershipResponse, Failure> {
    let reason = decode::name("reason", &request.reason, Reason::new)?;
    let to = (request.to_member_id > 0).then_some(MemberId(request.to_member_id));
    if let Some(to) = to {
        refuse_stranger(service, to).await?;
    }
    // It changes nothing that the history keeps, so the log has to say who asked.
    info!(principal = %caller.principal, %reason, to = request.to_member_id, "leadership is handed over on request");
    let leader = service.gate.transfer_leadership(to).await?;
    Ok(v1::TransferLeadershipResponse {
        leader_id: leader.0,
    })
}

/// A member that is none, or a learner, will not become able to lead while the caller tries again: it hears of it at once.
async fn refuse_stranger(service: &AdminService, to: MemberId) -> Result<(), Failure> {
    let voters = service
        .gate
        .read_stale(|_, status| status.membership.voters.clone());
    let voters = voters.await?;
    if voters.contains(&to.0) {
        return Ok(());
    }
    let ids: Vec<String> = voters.iter().map(ToString::to_string).collect();
    let reason = format!("{to} is not a voter; the voters are {}", ids.join(", "));
    Err(Failure::Refused(decode::invalid("to_member_id", reason)))
}

/// Frozen on the replica's thread, read elsewhere: a million rows take a while.
pub(super) async fn digest(
    service: &AdminService,
    _caller: &Caller,
    _request: v1::LedgerDigestRequest,
) -> Result<v1::LedgerDigestResponse, Failure> {
    let frozen = service
        .gate
        .read_stale(|ledger, status| (ledger.clone(), status.applied));
    let (ledger, applied_index) = frozen.await?;
    let read = tokio::task::spawn_blocking(move || v1::LedgerDigestResponse {
        revision: ledger.revision().0,
        applied_index,
        digest: hex(&ledger.digest()),
        chain_head: hex(&ledger.chain().0),
        violations: invariant::check_all(&ledger)
            .iter()
            .map(ToString::to_string)
            .collect(),
    });
    read.await.map_err(|error| Failure::Unavailable {
        reason: format!("the digest was not finished: {error}"),
    })
}
