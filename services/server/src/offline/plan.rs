//! What a recovery would leave waiting for whom: made by doing it in memory, so that the plan and the deed cannot differ.

use super::Error;
use super::begin::{Order, anew};
use crate::backup::{VSwitchSummary, moment, vswitches};
use berth_domain::Ledger;
use berth_domain::row::{ClaimState, Node, RecoveryKind, UNKNOWN_NODES};
use serde::Serialize;
use std::fmt;

/// A field, once shown, keeps its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// "restored" or "forced".
    pub kind: &'static str,
    /// The cluster that would be given up.
    pub former_cluster_id: String,
    /// The last revision that is known of it.
    pub follows_revision: u64,
    /// Its wall time, ms since 1970: what happened later is not known.
    pub known_until_wall_ms: u64,
    /// The least revision that the new cluster would begin with.
    pub begins_revision: u64,
    /// Sandboxes that keep their addresses.
    pub allocations_kept: u64,
    /// Claims that keep theirs, bound or held.
    pub claims_kept: u64,
    /// Of them, those without a sandbox: they wait as well, because their pods may have come back.
    pub claims_held: u64,
    /// Nodes that have to report, or to be confirmed, before anything new is given out; by id.
    pub waits_for: Vec<Waiting>,
    /// Somebody has to say that no node joined since.
    pub unknown_nodes: bool,
    /// Addresses by state as they would be, by vSwitch.
    pub vswitches: Vec<VSwitchSummary>,
}

/// A node that owes its word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Its name.
    pub node: String,
    /// What makes it this node.
    pub identity: String,
    /// Sandboxes that the ledger knows there.
    pub allocations: u32,
    /// Warm addresses that would come free by its word.
    pub idle: u32,
}

// === impl Plan ===

impl Plan {
    pub(super) fn of(ledger: &Ledger, kind: RecoveryKind, order: &Order) -> Result<Self, Error> {
        let (former, follows) = (ledger.cluster().to_string(), ledger.revision().0);
        let known_until_wall_ms = ledger.wall_time_ms();
        let after = anew(ledger.clone(), kind, order)?.ledger;
        let held = |state: &ClaimState| !matches!(state, ClaimState::Bound { .. });
        let waiting = after.recovery().map(|row| row.waiting.clone());
        let waiting = waiting.unwrap_or_default();
        let nodes = waiting.iter().filter_map(|id| after.node(*id));
        Ok(Self {
            kind: match kind {
                RecoveryKind::Restored => "restored",
                RecoveryKind::Forced => "forced",
            },
            former_cluster_id: former,
            follows_revision: follows,
            known_until_wall_ms,
            begins_revision: after.revision().0,
            allocations_kept: after.allocations_len() as u64,
            claims_kept: after.claims_len() as u64,
            claims_held: after.claims().filter(|claim| held(&claim.state)).count() as u64,
            waits_for: nodes.map(|node| of_node(&after, node)).collect(),
            unknown_nodes: waiting.contains(&UNKNOWN_NODES),
            vswitches: vswitches(&after),
        })
    }
}

fn of_node(ledger: &Ledger, node: &Node) -> Waiting {
    let usage = ledger.usage(node.id).copied().unwrap_or_default();
    Waiting {
        node: node.name.to_string(),
        identity: node.identity.to_string(),
        allocations: usage.allocations,
        idle: usage.families.iter().map(|family| family.idle).sum(),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            former_cluster_id,
            follows_revision,
            ..
        } = self;
        writeln!(
            f,
            "A new cluster would go on from cluster {former_cluster_id} as it was at revision {follows_revision}, \
             its last change at {}.",
            moment(self.known_until_wall_ms)
        )?;
        writeln!(
            f,
            "It would keep {} allocations and {} claims ({} of them held), begin at revision {} or later, and give\n\
             nothing new out before each of these has been heard:",
            self.allocations_kept, self.claims_kept, self.claims_held, self.begins_revision
        )?;
        for waiting in &self.waits_for {
            let Waiting {
                node,
                identity,
                allocations,
                idle,
            } = waiting;
            writeln!(
                f,
                "  node {node} ({identity}): {allocations} allocations, {idle} warm addresses"
            )?;
        }
        if self.unknown_nodes {
            writeln!(
                f,
                "  an administrator, that no node joined since (`berthctl recover confirm --unknown-nodes`; \
                 --no-unknown-nodes says so now)"
            )?;
        }
        for vswitch in &self.vswitches {
            write!(f, "{vswitch}")?;
        }
        Ok(())
    }
}
