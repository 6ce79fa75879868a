//! A node's own word: everything that lives there.

use super::RecoveryService;
use crate::failure::Failure;
use crate::grpc::allocator::own_node;
use crate::grpc::decode::{self, Decoded, name, optional_name};
use crate::grpc::principal::Caller;
use berth_domain::command::{ConfirmNode, Live, Word};
use berth_domain::id::*;
use berth_domain::outcome::Refusal;
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
    let command = ConfirmNode {
        node: registered(service, node, identity).await?,
        word: Word::Report,
        live,
    };
    let none = (
        RequestId::new("").expect("allowed"), // the empty text is one of those allowed
        Reason::new("").expect("allowed"),    // and so is it here
    );
    service.propose(caller, none.0, none.1, command).await
}

/// The node of that name, if it is the machine that says so: one that was made anew under an old name is another node.
async fn registered(
    service: &RecoveryService,
    node: NodeName,
    identity: Option<NodeIdentity>,
) -> Result<NodeId, Failure> {
    let (found, reason) = service
        .gate
        .read(move |ledger| {
            let row = ledger.node_named(&node);
            let other = row.filter(|row| identity.as_ref().is_some_and(|said| *said != row.identity));
            let reason = other.map(|row| {
                let registered = &row.identity;
                format!("is not {registered}, which node {node} is registered as: register the new machine first")
            });
            let missing = Refusal::NotFound {
                what: "node",
                name: node.to_string(),
            };
            (row.map(|row| row.id).ok_or(missing), reason)
        })
        .await?;
    match reason {
        Some(reason) => Err(decode::invalid("identity", reason).into()),
        None => Ok(found?),
    }
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
