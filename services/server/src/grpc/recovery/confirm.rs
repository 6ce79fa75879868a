//! An administrator's word for a node that cannot say it itself.

use super::{RecoveryService, confirmed};
use crate::failure::Failure;
use crate::grpc::decode::{self, invalid, name};
use crate::grpc::principal::Caller;
use berth_domain::command::{Command, ConfirmNode, Proposal, Word};
use berth_domain::id::{NodeId, NodeName};
use berth_domain::outcome::Refusal;
use berth_domain::row::UNKNOWN_NODES;
use berth_proto::v1;

pub(super) async fn confirm(
    service: &RecoveryService,
    caller: &Caller,
    request: v1::ConfirmNodeRequest,
) -> Result<v1::ConfirmNodeResponse, Failure> {
    let change = decode::change(request.change.clone())?;
    let command = ConfirmNode {
        node: meant(service, &request).await?,
        word: Word::Admin,
        live: Vec::new(),
    };
    let answer = service.gate.propose(Proposal {
        principal: caller.principal.clone(),
        request_id: change.request_id,
        trace_id: caller.trace_id,
        reason: change.reason,
        facts: None,
        command: Command::ConfirmNode(command),
    });
    confirmed(&answer.await?)
}

async fn meant(
    service: &RecoveryService,
    request: &v1::ConfirmNodeRequest,
) -> Result<NodeId, Failure> {
    match (request.node.as_str(), request.unknown_nodes) {
        ("", true) => Ok(UNKNOWN_NODES),
        ("", false) => Err(invalid("node", "is missing: name a node, or the unknown ones").into()),
        (_, true) => Err(invalid("node", "goes not with unknown_nodes: one word at a time").into()),
        (node, false) => {
            let node = name("node", node, NodeName::new)?;
            let missing = Refusal::NotFound {
                what: "node",
                name: node.to_string(),
            };
            let find =
                move |ledger: &berth_domain::Ledger| ledger.node_named(&node).map(|row| row.id);
            let found = service.gate.read(find).await?;
            found.ok_or(Failure::Refused(missing))
        }
    }
}
