//! Node pools: set, delete, show, list.

use super::{AdminService, view};
use crate::failure::Failure;
use crate::grpc::decode::{self, Decoded, name, number};
use crate::grpc::limits;
use crate::grpc::principal::Caller;
use berth_domain::Ledger;
use berth_domain::command::{Command, DeleteNodePool, SetNodePool};
use berth_domain::id::{
    EniId, NodePoolName, SecurityGroup, TagKey, TagValue, VSwitchId, VSwitchName,
};
use berth_domain::outcome::Refusal;
use berth_domain::row::{EniTag, IdleSettings, VSwitchChoice};
use berth_proto::v1;
use std::collections::HashMap;

pub(super) async fn set(
    service: &AdminService,
    caller: &Caller,
    request: v1::SetNodePoolRequest,
) -> Result<v1::NodePool, Failure> {
    let change = decode::change(request.change.clone())?;
    let vswitches = names("vswitches", &request.vswitches)?;
    let draining = names("draining", &request.draining)?;
    let command = command(&request)?;
    let named = service.gate.read(move |ledger| {
        let found = ids(ledger, &vswitches)?;
        Ok::<_, Refusal>((found, ids(ledger, &draining)?))
    });
    let (vswitches, draining) = named.await??;
    let name = command.name.clone();
    let command = Command::SetNodePool(SetNodePool {
        vswitches,
        draining,
        ..command
    });
    service.propose(caller, change, command).await?;
    let made = find(service, name, false).await;
    made.map_err(Failure::after_it_was_done)
}

pub(super) async fn delete(
    service: &AdminService,
    caller: &Caller,
    request: v1::DeleteNodePoolRequest,
) -> Result<v1::DeleteResponse, Failure> {
    let change = decode::change(request.change)?;
    let name = name("name", &request.name, NodePoolName::new)?;
    let command = Command::DeleteNodePool(DeleteNodePool { name });
    service.propose_end(caller, change, command).await
}

pub(super) async fn get(
    service: &AdminService,
    _caller: &Caller,
    request: v1::GetNodePoolRequest,
) -> Result<v1::NodePool, Failure> {
    find(
        service,
        name("name", &request.name, NodePoolName::new)?,
        request.stale,
    )
    .await
}

pub(super) async fn list(
    service: &AdminService,
    _caller: &Caller,
    request: v1::ListNodePoolsRequest,
) -> Result<v1::ListNodePoolsResponse, Failure> {
    let look = service.look(request.stale, |ledger| v1::ListNodePoolsResponse {
        pools: view::pools(ledger),
        revision: ledger.revision().0,
    });
    look.await
}

async fn find(
    service: &AdminService,
    name: NodePoolName,
    stale: bool,
) -> Result<v1::NodePool, Failure> {
    let missing = missing(&name);
    let found = service.look(stale, move |ledger| view::pool_named(ledger, &name));
    found.await?.ok_or(Failure::Refused(missing))
}

/// A pool that is not there.
pub(super) fn missing(name: &NodePoolName) -> Refusal {
    let name = name.to_string();
    Refusal::NotFound {
        what: "node pool",
        name,
    }
}

fn names(field: &'static str, texts: &[String]) -> Decoded<Vec<VSwitchName>> {
    number(field, texts.len(), 0..=limits::POOL_VSWITCHES_MAX)?;
    let names = texts.iter().map(|text| name(field, text, VSwitchName::new));
    names.collect()
}

fn ids(ledger: &Ledger, names: &[VSwitchName]) -> Decoded<Vec<VSwitchId>> {
    let id = |name: &VSwitchName| {
        let missing = || Refusal::NotFound {
            what: "vSwitch",
            name: name.to_string(),
        };
        ledger
            .vswitch_named(name)
            .map(|row| row.id)
            .ok_or_else(missing)
    };
    names.iter().map(id).collect()
}

/// All but the vSwitches, whose names are looked up.
fn command(request: &v1::SetNodePoolRequest) -> Decoded<SetNodePool> {
    let groups = request.security_groups.iter();
    let blocked = request.blocked_enis.iter();
    Ok(SetNodePool {
        name: name("name", &request.name, NodePoolName::new)?,
        mode: decode::node_mode("mode", &request.mode)?,
        vswitches: Vec::new(),
        draining: Vec::new(),
        choice: choice(&request.choice)?,
        security_groups: groups
            .map(|text| name("security_groups", text, SecurityGroup::new))
            .collect::<Decoded<_>>()?,
        idle: IdleSettings {
            min: request.min_idle,
            max: request.max_idle,
            warm_up: request.warm_up,
            reclaim_after_ms: request.reclaim_after_ms,
            reclaim_batch: request.reclaim_batch,
            reclaim_every_ms: request.reclaim_every_ms,
        },
        eni_tags: tags(&request.eni_tags)?,
        acceleration: request.acceleration,
        network_policy: request.network_policy,
        blocked: blocked
            .map(|text| name("blocked_enis", text, EniId::new))
            .collect::<Decoded<_>>()?,
    })
}

fn tags(texts: &HashMap<String, String>) -> Decoded<Vec<EniTag>> {
    let mut tags = texts
        .iter()
        .map(|(key, value)| {
            Ok(EniTag {
                key: name("eni_tags", key, TagKey::new)?,
                value: name("eni_tags", value, TagValue::new)?,
            })
        })
        .collect::<Decoded<Vec<_>>>()?;
    tags.sort();
    Ok(tags)
}

fn choice(text: &str) -> Decoded<VSwitchChoice> {
    if text.is_empty() {
        return Ok(VSwitchChoice::default());
    }
    let known = VSwitchChoice::ALL
        .into_iter()
        .find(|choice| choice.name() == text);
    known.ok_or_else(|| {
        let choices = VSwitchChoice::ALL.map(VSwitchChoice::name).join(", ");
        decode::invalid("choice", format_args!("{text:?} is none of {choices}"))
    })
}
