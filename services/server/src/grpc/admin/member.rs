//! Who takes part: list, promote, remove.

use super::{AdminService, view};
use crate::failure::Failure;
use crate::grpc::decode::{self, Decoded};
use crate::grpc::principal::Caller;
use crate::peer::{Audit, Roll};
use berth_domain::id::Revision;
use berth_proto::v1;

/// A name is as long as a node's may be, and an id is shorter.
const MEMBER_BYTES_MAX: usize = 253;

pub(super) async fn list(
    service: &AdminService,
    _caller: &Caller,
    request: v1::ListMembersRequest,
) -> Result<v1::ListMembersResponse, Failure> {
    let roll = match request.stale {
        true => service.membership.roll_stale().await?,
        false => service.membership.roll().await?,
    };
    let status = &roll.status;
    Ok(v1::ListMembersResponse {
        members: members(service, &roll),
        leader_id: status.role.leader.unwrap_or_default(),
        cluster_id: service.membership.cluster().to_string(),
        revision: roll.revision.0,
        changing: !status.membership.voters_outgoing.is_empty(),
    })
}

pub(super) async fn promote(
    service: &AdminService,
    caller: &Caller,
    request: v1::PromoteMemberRequest,
) -> Result<v1::ChangeMemberResponse, Failure> {
    let audit = audit(caller, request.change)?;
    let member = member("member", &request.member)?;
    let replaces = match request.replaces.as_str() {
        "" => None,
        _ => Some(self::member("replaces", &request.replaces)?),
    };
    let done = service.membership.promote(member, replaces, audit).await?;
    changed(service, done).await
}

pub(super) async fn remove(
    service: &AdminService,
    caller: &Caller,
    request: v1::RemoveMemberRequest,
) -> Result<v1::ChangeMemberResponse, Failure> {
    let audit = audit(caller, request.change)?;
    let member = member("member", &request.member)?;
    let done = service.membership.remove(member, request.force, audit);
    changed(service, done.await?).await
}

async fn changed(
    service: &AdminService,
    done: Revision,
) -> Result<v1::ChangeMemberResponse, Failure> {
    let roll = service.membership.roll().await;
    let roll = roll.map_err(Failure::after_it_was_done)?;
    Ok(v1::ChangeMemberResponse {
        members: members(service, &roll),
        revision: done.0,
    })
}

fn members(service: &AdminService, roll: &Roll) -> Vec<v1::Member> {
    let of = |id| service.membership.vitals(&roll.status, id);
    view::members(&roll.rows, &roll.status, of)
}

fn audit(caller: &Caller, change: Option<v1::Change>) -> Decoded<Audit> {
    let change = decode::change(change)?;
    Ok(Audit {
        principal: caller.principal.clone(),
        request_id: change.request_id,
        trace_id: caller.trace_id,
        reason: change.reason,
    })
}

fn member<'a>(field: &'static str, text: &'a str) -> Decoded<&'a str> {
    match text.len() {
        1..=MEMBER_BYTES_MAX => Ok(text),
        0 => Err(decode::invalid(field, "is missing: a member's name or id")),
        _ => Err(decode::invalid(
            field,
            format!("is longer than {MEMBER_BYTES_MAX} bytes"),
        )),
    }
}
