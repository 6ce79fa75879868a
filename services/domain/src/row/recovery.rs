//! What a restore or a forced recovery leaves open: which nodes still owe their word, and what they said that does not fit.

use crate::id::*;
use crate::outcome::Refusal;
use crate::planted::{self, Planted};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// The nodes that the ledger does not know: they joined after what was restored. Only an administrator can say that there
/// are none, or that they are gone.
pub const UNKNOWN_NODES: NodeId = NodeId(0);

/// Why the cluster was begun anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecoveryKind {
    /// From a backup: whatever came after it is not known.
    Restored,
    /// From one member's directory, its quorum being lost: what the others alone had committed is not known.
    Forced,
}

/// The last recovery. It is open until every node that could have pods has said what lives on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Counts the recoveries of this ledger, from 1.
    pub number: u64,
    /// What happened.
    pub kind: RecoveryKind,
    /// The cluster's id until then.
    pub former: ClusterId,
    /// The cluster's id from then on.
    pub cluster: ClusterId,
    /// The last revision before it.
    pub follows: Revision,
    /// Its own revision, the next after the jump.
    pub began: Revision,
    /// ms of ledger time.
    pub began_ms: u64,
    /// ms since 1970; only shown.
    pub began_wall_ms: u64,
    /// Who ordered it.
    pub ordered_by: Principal,
    /// Why, in his words.
    pub reason: Reason,
    /// Who owes a report. [`UNKNOWN_NODES`] stands for all that the ledger does not know.
    pub waiting: BTreeSet<NodeId>,
    /// The last word came with this revision; none = it is open.
    pub closed: Option<Revision>,
}

/// A sandbox that lives by its node's word, with addresses that the ledger cannot call its own. Nobody else gets them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Its key.
    pub key: Arc<AttachmentKey>,
    /// On which node.
    pub node: NodeId,
    /// In which boot.
    pub boot: BootId,
    /// When its shim started, boot-time clock, ms.
    pub invoked_at_ms: u64,
    /// For whom.
    pub pod: PodIdentity,
    /// What it uses.
    pub addresses: Vec<IpAddr>,
    /// Why they are not its own.
    pub cause: StrayCause,
    /// Known since this revision; an administrator who ends it names it as the generation.
    pub since: Revision,
}

/// Why a living sandbox could not be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StrayCause {
    /// An address lies in no vSwitch, or is excluded.
    OutOfRange,
    /// It has not one address of each family of one vSwitch.
    Families,
    /// An address is bound to another sandbox.
    BoundToAnother,
    /// An address is kept for another pod's claim.
    HeldForAnother,
    /// Another node, or another sandbox of this one, uses an address too.
    UsedTwice,
    /// The same sandbox is bound on another node, or with other addresses.
    BoundElsewhere,
}

// === impl Recovery ===

impl Recovery {
    /// Whether somebody owes a report.
    pub fn is_open(&self) -> bool {
        self.closed.is_none() && !planted::has(Planted::GrantsAfterRestore)
    }

    /// Why nothing is given out while it is open. `name` knows the nodes' names.
    pub fn refusal(&self, name: impl Fn(NodeId) -> Option<NodeName>) -> Refusal {
        let known = self.waiting.iter().find(|node| **node != UNKNOWN_NODES);
        Refusal::Recovering {
            waiting: self.waiting.len() as u32,
            first: match known {
                Some(node) => {
                    name(*node).map_or_else(|| format!("node {node}"), |name| name.to_string())
                }
                None => "the nodes that joined since the backup".into(),
            },
        }
    }

    /// As it is after a node's [`crate::row::Change::OwedReport`].
    pub fn owe(&mut self, node: NodeId, owes: bool) {
        match owes {
            true => self.waiting.insert(node),
            false => self.waiting.remove(&node),
        };
    }
}

// === impl StrayCause ===

impl StrayCause {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::OutOfRange,
        Self::Families,
        Self::BoundToAnother,
        Self::HeldForAnother,
        Self::UsedTwice,
        Self::BoundElsewhere,
    ];

    /// What is wrong, in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::OutOfRange => "an address lies in no vSwitch, or is excluded",
            Self::Families => "it has not one address of each family of one vSwitch",
            Self::BoundToAnother => "an address is bound to another sandbox",
            Self::HeldForAnother => "an address is kept for another pod's claim",
            Self::UsedTwice => "an address is used by another sandbox too",
            Self::BoundElsewhere => {
                "the same sandbox is bound on another node, or with other addresses"
            }
        }
    }
}
