//! vSwitches: create, delete, show, list.

use super::{AdminService, view};
use crate::failure::Failure;
use crate::grpc::decode::{self, Decoded, SubnetFields, name, number, optional_name};
use crate::grpc::limits;
use crate::grpc::principal::Caller;
use berth_domain::command::{Command, CreateVSwitch, DeleteVSwitch, SetVSwitch};
use berth_domain::id::{CloudVSwitchId, VSwitchName, Zone};
use berth_domain::outcome::Refusal;
use berth_proto::v1;

pub(super) async fn create(
    service: &AdminService,
    caller: &Caller,
    mut request: v1::CreateVSwitchRequest,
) -> Result<v1::VSwitch, Failure> {
    let change = decode::change(request.change.take())?;
    let command = command(&request)?;
    let name = command.name.clone();
    let command = Command::CreateVSwitch(command);
    service.propose(caller, change, command).await?;
    let made = find(service, name, false).await;
    made.map_err(Failure::after_it_was_done)
}

/// What is not said stays, exclusions aside: the ledger keeps those by rule and the administrator's as one.
pub(super) async fn set(
    service: &AdminService,
    caller: &Caller,
    mut request: v1::SetVSwitchRequest,
) -> Result<v1::VSwitch, Failure> {
    let change = decode::change(request.change.take())?;
    let said = said(&request)?;
    let name = said.name.clone();
    let known = name.clone();
    let row = service
        .gate
        .read(move |ledger| ledger.vswitch_named(&known).cloned());
    let row = row.await?.ok_or_else(|| missing(&name))?;
    let command = Command::SetVSwitch(SetVSwitch {
        ipv4: said.ipv4.or(row.ipv4),
        ipv6: said.ipv6.or(row.ipv6),
        cooling_ms: match said.cooling_ms {
            0 => row.cooling_ms,
            said => said,
        },
        ..said
    });
    service.propose(caller, change, command).await?;
    let made = find(service, name, false).await;
    made.map_err(Failure::after_it_was_done)
}

pub(super) async fn delete(
    service: &AdminService,
    caller: &Caller,
    request: v1::DeleteVSwitchRequest,
) -> Result<v1::DeleteResponse, Failure> {
    let change = decode::change(request.change)?;
    let name = name("name", &request.name, VSwitchName::new)?;
    let command = Command::DeleteVSwitch(DeleteVSwitch { name });
    service.propose_end(caller, change, command).await
}

pub(super) async fn get(
    service: &AdminService,
    _caller: &Caller,
    request: v1::GetVSwitchRequest,
) -> Result<v1::VSwitch, Failure> {
    find(
        service,
        name("name", &request.name, VSwitchName::new)?,
        request.stale,
    )
    .await
}

pub(super) async fn list(
    service: &AdminService,
    _caller: &Caller,
    request: v1::ListVSwitchesRequest,
) -> Result<v1::ListVSwitchesResponse, Failure> {
    let size = decode::page_size(request.page_size)?;
    let after = decode::page_number(&request.page_token)?;
    let page = service.look(request.stale, move |ledger| {
        view::vswitches(ledger, after, size)
    });
    let (vswitches, next_page_token, revision) = page.await?;
    Ok(v1::ListVSwitchesResponse {
        vswitches,
        next_page_token,
        revision,
    })
}

async fn find(
    service: &AdminService,
    name: VSwitchName,
    stale: bool,
) -> Result<v1::VSwitch, Failure> {
    let missing = missing(&name);
    let found = service.look(stale, move |ledger| view::vswitch_named(ledger, &name));
    found.await?.ok_or(Failure::Refused(missing))
}

fn missing(name: &VSwitchName) -> Refusal {
    Refusal::NotFound {
        what: "vSwitch",
        name: name.to_string(),
    }
}

fn said(request: &v1::SetVSwitchRequest) -> Decoded<SetVSwitch> {
    let ipv4 = SubnetFields {
        ipv4: true,
        cidr_field: "ipv4_cidr",
        cidr: &request.ipv4_cidr,
        gateway_field: "ipv4_gateway",
        gateway: &request.ipv4_gateway,
    };
    let ipv6 = SubnetFields {
        ipv4: false,
        cidr_field: "ipv6_cidr",
        cidr: &request.ipv6_cidr,
        gateway_field: "ipv6_gateway",
        gateway: &request.ipv6_gateway,
    };
    Ok(SetVSwitch {
        name: name("name", &request.name, VSwitchName::new)?,
        ipv4: decode::subnet(&ipv4)?,
        ipv6: decode::subnet(&ipv6)?,
        exclusions: decode::exclusions(&request.exclusions)?,
        cooling_ms: match request.cooling_ms {
            0 => 0,
            said => number("cooling_ms", said, 1..=limits::COOLING_MS_MAX)?,
        },
    })
}

fn command(request: &v1::CreateVSwitchRequest) -> Decoded<CreateVSwitch> {
    let ipv4 = decode::subnet(&SubnetFields {
        ipv4: true,
        cidr_field: "ipv4_cidr",
        cidr: &request.ipv4_cidr,
        gateway_field: "ipv4_gateway",
        gateway: &request.ipv4_gateway,
    })?;
    let ipv6 = decode::subnet(&SubnetFields {
        ipv4: false,
        cidr_field: "ipv6_cidr",
        cidr: &request.ipv6_cidr,
        gateway_field: "ipv6_gateway",
        gateway: &request.ipv6_gateway,
    })?;
    if ipv4.is_none() && ipv6.is_none() {
        return Err(decode::invalid(
            "ipv4_cidr",
            "is missing: a vSwitch needs ipv4_cidr, ipv6_cidr or both",
        ));
    }
    let cooling_ms = match request.cooling_ms {
        0 => limits::COOLING_MS,
        said => number("cooling_ms", said, 1..=limits::COOLING_MS_MAX)?,
    };
    Ok(CreateVSwitch {
        name: name("name", &request.name, VSwitchName::new)?,
        zone: name("zone", &request.zone, Zone::new)?,
        ipv4,
        ipv6,
        exclusions: decode::exclusions(&request.exclusions)?,
        cooling_ms,
        kind: decode::network_kind(&request.network_kind)?,
        cloud: optional_name("cloud_id", &request.cloud_id, CloudVSwitchId::new)?,
    })
}
