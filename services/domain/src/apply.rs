//! What each command does: one file per command, each a pure decision from the ledger to changes or a refusal.
//!
//! A decision installs nothing. All that it sees is the ledger, the command, and the time of the entry's header.

mod advance_job;
mod begin_job;
mod bind;
mod confirm_node;
mod create_claim;
mod create_vswitch;
mod delete_claim;
mod delete_node_pool;
mod delete_vswitch;
mod ending;
mod expire;
mod given;
mod note_foreign;
mod reclaim;
mod recover;
mod recovering;
mod register_member;
mod register_node;
mod rehearse;
mod release;
mod remove_member;
mod remove_node;
mod repair;
mod request;
mod security_groups;
mod set_cluster_version;
mod set_node_pool;
mod set_vswitch;
mod stock;
#[cfg(test)]
pub(crate) mod testing;

use crate::command::{Command, Proposal};
use crate::id::{NodeId, Revision, VSwitchId};
use crate::ledger::{Ledger, nodes, vswitches};
use crate::outcome::{Outcome, Refusal};
use crate::row::Change;

pub use begin_job::JOB_ADDRESSES_MAX;
pub use confirm_node::LIVE_MAX;
pub(crate) use given::in_use;
pub use recover::JUMP_MIN;

/// A tombstone outlives the longest ADD (120 s) and the delivery of its message by far (design §5).
pub const TOMBSTONE_MS: u64 = 300_000;
/// Without an agent a link may outlive its DEL by this: some plugins call the IPAM plugin's DEL first (design §6).
pub const SETTLE_MS: u64 = 2_000;
/// How long a request's result is remembered.
pub const REQUEST_MS: u64 = 600_000;
/// How many results are remembered; the oldest go first.
pub const REQUESTS_MAX: usize = 100_000;
/// Addresses in one command: what fits an entry's share of the log.
pub const ADDRESSES_MAX: usize = 512;

/// What a decision may look at.
pub(crate) struct Context<'a> {
    pub(crate) ledger: &'a Ledger,
    /// The command's own, if it takes effect.
    pub(crate) revision: Revision,
    /// Ledger time.
    pub(crate) now_ms: u64,
    /// Wall time; only to be shown.
    pub(crate) wall_ms: u64,
}

/// What a command does, all of it or nothing. Without changes it takes no revision.
pub(crate) struct Decision {
    pub(crate) changes: Vec<Change>,
    pub(crate) outcome: Outcome,
}

pub(crate) type Decided = Result<Decision, Refusal>;

/// Decides one proposal.
pub(crate) fn decide(context: &Context, proposal: &Proposal) -> Decided {
    timely(context, &proposal.command)?;
    request::once(context, proposal, |context| match &proposal.command {
        Command::CreateVSwitch(command) => create_vswitch::decide(context, command),
        Command::DeleteVSwitch(command) => delete_vswitch::decide(context, command),
        Command::RegisterNode(command) => register_node::decide(context, command),
        Command::RemoveNode(command) => remove_node::decide(context, command),
        Command::CreateClaim(command) => create_claim::decide(context, command),
        Command::DeleteClaim(command) => delete_claim::decide(context, command),
        Command::Stock(command) => stock::decide(context, command),
        Command::Reclaim(command) => reclaim::decide(context, command),
        Command::Bind(command) => bind::decide(context, command),
        Command::Release(command) => release::decide(context, command),
        Command::Expire(command) => expire::decide(context, command),
        Command::RegisterMember(command) => register_member::decide(context, command),
        Command::RemoveMember(command) => remove_member::decide(context, command),
        Command::SetClusterVersion(command) => set_cluster_version::decide(context, command),
        Command::Repair(command) => repair::decide(context, command),
        Command::Rehearse(_) => rehearse::decide(context),
        Command::Recover(command) => recover::decide(context, proposal, command),
        Command::ConfirmNode(command) => confirm_node::decide(context, command),
        Command::BeginJob(command) => begin_job::decide(context, command),
        Command::AdvanceJob(command) => advance_job::decide(context, command),
        Command::NoteForeign(command) => note_foreign::decide(context, command),
        Command::SetNodePool(command) => set_node_pool::decide(context, command),
        Command::DeleteNodePool(command) => delete_node_pool::decide(context, command),
        Command::SetVSwitch(command) => set_vswitch::decide(context, command),
    })
}

/// The journal does not propose what the cluster version does not allow; should one do so, every replica refuses it.
fn timely(context: &Context, command: &Command) -> Result<(), Refusal> {
    let (needed, current) = (command.since(), context.ledger.version());
    match needed <= current {
        true => Ok(()),
        false => Err(Refusal::VersionTooLow {
            command: command.name(),
            needed,
            current,
        }),
    }
}

fn invalid(field: &'static str, reason: impl Into<String>) -> Refusal {
    Refusal::Invalid {
        field,
        reason: reason.into(),
    }
}

// === impl Decision ===

impl Decision {
    fn nothing(outcome: Outcome) -> Self {
        Self {
            changes: Vec::new(),
            outcome,
        }
    }
}

// === impl Context ===

impl<'a> Context<'a> {
    fn node(&self, id: NodeId) -> Result<&'a nodes::Entry, Refusal> {
        let missing = || Refusal::NotFound {
            what: "node",
            name: id.to_string(),
        };
        self.ledger.nodes.get(id).ok_or_else(missing)
    }

    fn vswitch(&self, id: VSwitchId) -> Result<&'a vswitches::Entry, Refusal> {
        let missing = || Refusal::NotFound {
            what: "vSwitch",
            name: id.to_string(),
        };
        self.ledger.vswitches.get(id).ok_or_else(missing)
    }
}
