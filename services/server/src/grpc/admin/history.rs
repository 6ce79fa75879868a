//! The history: pages of event groups, who held an address, and a watch.

use super::{AdminService, view};
use crate::failure::Failure;
use crate::grpc::decode::{self, Decoded, name};
use crate::grpc::event;
use crate::grpc::principal::Caller;
use crate::history::{Page, Query, Subject, WhoHas};
use berth_domain::event::EventGroup;
use berth_domain::id::*;
use berth_proto::v1;
use berth_proto::v1::list_history_request::Subject as Asked;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use tonic::Status;

/// Event groups that a watch takes at once.
const WATCH_GROUPS: usize = 256;

pub(super) async fn list(
    service: &AdminService,
    _caller: &Caller,
    request: v1::ListHistoryRequest,
) -> Result<v1::ListHistoryResponse, Failure> {
    let query = Query {
        subject: subject(request.subject)?,
        from_wall_ms: decode::moment("from_wall_ms", request.from_wall_ms)?,
        until_wall_ms: decode::moment("until_wall_ms", request.until_wall_ms)?,
        after: Revision(request.after_revision),
        limit: decode::page_size(request.page_size)?,
        newest_first: request.newest_first,
    };
    let revision = service
        .look(request.stale, |ledger| ledger.revision())
        .await?;
    let Page {
        groups,
        more,
        revision,
    } = service.gate.history().list(query, revision).await?;
    Ok(v1::ListHistoryResponse {
        groups: written(service, groups).await?,
        more,
        revision: revision.0,
    })
}

pub(super) async fn who_has(
    service: &AdminService,
    _caller: &Caller,
    request: v1::WhoHasRequest,
) -> Result<v1::WhoHasResponse, Failure> {
    let address = decode::address("address", &request.address)?;
    let at = decode::moment("at_wall_ms", request.at_wall_ms)?;
    let revision = service
        .look(request.stale, |ledger| ledger.revision())
        .await?;
    let reader = service.gate.history();
    let at = at.unwrap_or(u64::MAX);
    let Some(vswitch) = reader.vswitch_of(address, at, revision).await? else {
        return Ok(v1::WhoHasResponse {
            address: address.to_string(),
            revision: revision.0,
            ..v1::WhoHasResponse::default()
        });
    };
    let then = reader.who_has(address, at, revision).await?;
    // What happened in a vSwitch that had the address before does not count.
    let then = match then.vswitch == Some(vswitch.id) {
        true => then,
        false => WhoHas {
            revision: then.revision,
            ..WhoHas::default()
        },
    };
    // An address that never changed is what the vSwitch's rule makes it: free, or excluded.
    let never_used = match vswitch.excludes(address) {
        true => v1::AddressState::Excluded,
        false => v1::AddressState::Free,
    };
    let state = then.state.as_ref().map_or(never_used, event::state);
    let (since_wall_ms, since_revision, revision) =
        (then.since_wall_ms, then.since_revision.0, then.revision.0);
    let (allocation, claim) = service
        .gate
        .read_stale(move |ledger, _| {
            let allocation = then.allocation.as_deref();
            (
                allocation.map(|allocation| view::allocation(ledger, allocation)),
                view::claim_of(ledger, then.state.as_ref(), allocation),
            )
        })
        .await?;
    Ok(v1::WhoHasResponse {
        address: address.to_string(),
        vswitch: vswitch.name.to_string(),
        state: state.into(),
        allocation,
        claim,
        since_wall_ms,
        since_revision,
        revision,
    })
}

/// Each group as it becomes durable here; a follower answers as well, a little later.
pub(super) async fn watch(
    service: &AdminService,
    _caller: &Caller,
    request: v1::WatchHistoryRequest,
) -> Result<BoxStream<'static, Result<v1::EventGroup, Status>>, Failure> {
    let service = service.clone();
    let after = Revision(request.after_revision);
    let groups = stream::try_unfold(after, move |after| {
        let service = service.clone();
        async move {
            let groups = service.gate.history().after(after, WATCH_GROUPS).await?;
            let last = groups.last().map_or(after, |group| group.revision);
            let groups = written(&service, groups).await?;
            Ok::<_, Status>(Some((stream::iter(groups.into_iter().map(Ok)), last)))
        }
    });
    Ok(groups.try_flatten().boxed())
}

async fn written(
    service: &AdminService,
    groups: Vec<EventGroup>,
) -> Result<Vec<v1::EventGroup>, Failure> {
    service
        .gate
        .read_stale(move |ledger, _| {
            let names = view::names(ledger, &groups);
            groups
                .iter()
                .map(|group| event::group(group, &names))
                .collect()
        })
        .await
}

fn subject(asked: Option<Asked>) -> Decoded<Subject> {
    Ok(match asked {
        None => Subject::All,
        Some(Asked::Address(text)) => Subject::Address(decode::address("address", &text)?),
        Some(Asked::Pod(text)) => {
            let Some((namespace, pod)) = text.split_once('/') else {
                return Err(decode::invalid(
                    "pod",
                    format_args!("{text:?} is not of the form namespace/name"),
                ));
            };
            Subject::Pod {
                namespace: name("pod", namespace, Namespace::new)?,
                name: name("pod", pod, PodName::new)?,
            }
        }
        Some(Asked::Node(text)) => Subject::Node(name("node", &text, NodeName::new)?),
        Some(Asked::Claim(text)) => Subject::Claim(decode::claim_name("claim", &text)?),
        Some(Asked::Vswitch(text)) => Subject::VSwitch(name("vswitch", &text, VSwitchName::new)?),
    })
}
