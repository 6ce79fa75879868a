//! Claims: create, delete, show, list.

use super::{AdminService, view};
use crate::failure::Failure;
use crate::grpc::decode::{self, name};
use crate::grpc::principal::Caller;
use crate::out_of_range;
use berth_domain::command::{Command, CreateClaim, DeleteClaim};
use berth_domain::id::{ClaimName, Namespace, VSwitchName};
use berth_domain::outcome::Refusal;
use berth_proto::v1;

pub(super) async fn create(
    service: &AdminService,
    caller: &Caller,
    request: v1::CreateClaimRequest,
) -> Result<v1::Claim, Failure> {
    let change = decode::change(request.change.clone())?;
    let v1::CreateClaimRequest {
        cluster,
        namespace,
        pod,
        ..
    } = &request;
    let claim = decode::claim_name_of("pod", [cluster, namespace, pod])?;
    let addresses = decode::addresses("addresses", &request.addresses)?;
    let policy = decode::policy(&request.policy)?;
    let vswitch = name("vswitch", &request.vswitch, VSwitchName::new)?;
    let unknown = Refusal::NotFound {
        what: "vSwitch",
        name: vswitch.to_string(),
    };
    let vswitch = service
        .gate
        .read(move |ledger| ledger.vswitch_named(&vswitch).cloned())
        .await?;
    let vswitch = vswitch.ok_or(unknown)?;
    out_of_range::check("addresses", &addresses, [&vswitch].into_iter())?;
    let command = Command::CreateClaim(CreateClaim {
        name: claim.clone(),
        vswitch: vswitch.id,
        addresses,
        policy,
    });
    service.propose(caller, change, command).await?;
    let made = find(service, claim, false).await;
    made.map_err(Failure::after_it_was_done)
}

pub(super) async fn delete(
    service: &AdminService,
    caller: &Caller,
    request: v1::DeleteClaimRequest,
) -> Result<v1::DeleteResponse, Failure> {
    let change = decode::change(request.change)?;
    let claim = decode::claim_name("name", &request.name)?;
    let missing = missing(&claim);
    let claim = service
        .gate
        .read(move |ledger| view::claim_id(ledger, &claim))
        .await?;
    let Some(claim) = claim else {
        return service.ended_before(caller, &change, missing).await;
    };
    let command = Command::DeleteClaim(DeleteClaim {
        claim,
        override_holder: request.override_holder,
        policy_fired: false,
    });
    service.propose_end(caller, change, command).await
}

pub(super) async fn get(
    service: &AdminService,
    _caller: &Caller,
    request: v1::GetClaimRequest,
) -> Result<v1::Claim, Failure> {
    find(
        service,
        decode::claim_name("name", &request.name)?,
        request.stale,
    )
    .await
}

pub(super) async fn list(
    service: &AdminService,
    _caller: &Caller,
    request: v1::ListClaimsRequest,
) -> Result<v1::ListClaimsResponse, Failure> {
    let size = decode::page_size(request.page_size)?;
    let after = decode::page_number(&request.page_token)?;
    let namespace = decode::optional_name("namespace", &request.namespace, Namespace::new)?;
    let page = service.look(request.stale, move |ledger| {
        view::claims(ledger, namespace.as_ref(), after, size)
    });
    let (claims, next_page_token, revision) = page.await?;
    Ok(v1::ListClaimsResponse {
        claims,
        next_page_token,
        revision,
    })
}

async fn find(service: &AdminService, claim: ClaimName, stale: bool) -> Result<v1::Claim, Failure> {
    let missing = missing(&claim);
    let found = service.look(stale, move |ledger| view::claim_named(ledger, &claim));
    found.await?.ok_or(Failure::Refused(missing))
}

fn missing(claim: &ClaimName) -> Refusal {
    let name = claim.to_string();
    Refusal::NotFound {
        what: "claim",
        name,
    }
}
