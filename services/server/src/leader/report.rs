//! What a node says of itself after a recovery.

use super::Gate;
use crate::failure::Failure;
use berth_domain::Ledger;
use berth_domain::command::{Command, ConfirmNode, Live, Proposal, Word};
use berth_domain::id::{NodeId, NodeIdentity, NodeName, Principal, Reason, RequestId};
use berth_domain::outcome::{Answer, Refusal};

/// Everything that lives on a node, by its own word.
#[derive(Clone, Debug)]
pub struct Report {
    /// Who says it.
    pub principal: Principal,
    /// The trace it belongs to.
    pub trace_id: Option<[u8; 16]>,
    /// The node's name, as registered.
    pub node: NodeName,
    /// What it was registered with; none = not named.
    pub identity: Option<NodeIdentity>,
    /// Complete.
    pub live: Vec<Live>,
}

// === impl Gate ===

impl Gate {
    /// A node's word, answered after its commit. One that was made anew under an old name is another node, and is refused.
    pub async fn report_node(&self, report: Report) -> Result<Answer, Failure> {
        let (node, identity) = (report.node, report.identity);
        let found = self.read(move |ledger| registered(ledger, &node, identity.as_ref()));
        let node = found.await??;
        self.propose(Proposal {
            principal: report.principal,
            request_id: RequestId::new("").expect("allowed"), // the empty text is one of those allowed
            trace_id: report.trace_id,
            reason: Reason::new("").expect("allowed"), // and so is it here
            facts: None,
            command: Command::ConfirmNode(ConfirmNode {
                node,
                word: Word::Report,
                live: report.live,
            }),
        })
        .await
    }
}

fn registered(
    ledger: &Ledger,
    name: &NodeName,
    identity: Option<&NodeIdentity>,
) -> Result<NodeId, Failure> {
    let row = ledger.node_named(name).ok_or_else(|| Refusal::NotFound {
        what: "node",
        name: name.to_string(),
    })?;
    match identity {
        Some(said) if *said != row.identity => {
            let known = &row.identity;
            Err(Failure::Refused(Refusal::Invalid {
                field: "identity",
                reason: format!(
                    "is not {known}, which node {name} is registered as: register the new machine first"
                ),
            }))
        }
        _ => Ok(row.id),
    }
}
