//! A node's own word: everything that lives there.

use super::{RecoveryService, confirmed};
use crate::failure::Failure;
use crate::grpc::allocator::own_node;
use crate::grpc::decode::{self, Decoded, name, optional_name};
use crate::grpc::principal::Caller;
use crate::leader::Report;
use berth_domain::command::Live;
use berth_domain::id::*;
use berth_proto::v1;

pub(super) async fn report(
    service: &RecoveryService,
    caller: &Caller,
    request: v1::NodeReportRequest,
) -> Result<v1::ConfirmNodeResponse, Failure> {
    let node = name("node", &request.node, NodeName::new)?;
    own_node(caller, &node)?;
    let identity = optional_name("identity", &request.identity, NodeIdentity::new)?;
    let boot = name("boot_id", &request.boot_id, BootId::new)?;
    let live = request.live.into_iter().map(|sandbox| live(sandbox, &boot));
    let live = live.collect::<Decoded<Vec<Live>>>()?;
    let answer = service.gate.report_node(Report {
        principal: caller.principal.clone(),
        trace_id: caller.trace_id,
        node,
        identity,
        live,
    });
    confirmed(&answer.await?)
}

fn live(sandbox: v1::LiveSandbox, boot: &BootId) -> Decoded<Live> {
    let addresses = sandbox.addresses.iter();
    let addresses = addresses.map(|text| decode::address("live.addresses", text));
    let mut addresses = addresses.collect::<Decoded<Vec<_>>>()?;
    addresses.sort_by_key(|address| (address.is_ipv6(), *address));
    Ok(Live {
        key: decode::attachment(sandbox.attachment)?,
        boot: boot.clone(),
        invoked_at_ms: sandbox.invoked_at_ms,
        pod: decode::pod(sandbox.pod)?,
        eni: optional_name("live.eni", &sandbox.eni, EniId::new)?,
        addresses,
    })
}
