//! Who may call what: one table with a row per method. A method without a row is refused to everybody.
//!
//! `Own` rows are narrowed by the handlers: a node speaks for itself only (see [`Caller::speaks_for`]).

use super::principal::Caller;
use std::fmt;
use std::time::Duration;

/// What kind of caller; taken from the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reaches a listener that has no certificates.
    Local,
    /// A node's agent or CNI shim.
    Node,
    /// The operator: brings facts, registers nodes.
    Operator,
    /// A person, or what acts for one.
    Admin,
    /// Looks, changes nothing.
    Observer,
    /// Another replica; only on the peers' listener.
    Member,
}

/// One method's rule.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// "/berth.v1.Allocator/Allocate"
    pub method: &'static str,
    /// Who may.
    pub who: &'static [Role],
    /// Answered within this time, or cut off; where the answer is a stream: its beginning.
    /// None = the call is a stream that is answered only at its end, and lives as long as both sides want it.
    pub deadline: Option<Duration>,
}

use Role::{Admin, Local, Member, Node, Observer, Operator};

const NODES: &[Role] = &[Local, Node];
const FACTS: &[Role] = &[Local, Operator];
const OPERATORS: &[Role] = &[Local, Operator, Admin];
const ADMINS: &[Role] = &[Local, Admin];
const READERS: &[Role] = &[Local, Operator, Admin, Observer];
const MEMBERS: &[Role] = &[Member];
const ANYBODY: &[Role] = &[Local, Node, Operator, Admin, Observer, Member];

/// An ADD may wait for an address for as long as its caller does; 120 s is the longest `deadline_ms`.
const ALLOCATE: Option<Duration> = Some(Duration::from_secs(121));
/// Everything else is one commit or one read.
const USUAL: Option<Duration> = Some(Duration::from_secs(10));
/// A replica's stream to another is kept for as long as both run.
const KEPT: Option<Duration> = None;

const fn row(method: &'static str, who: &'static [Role], deadline: Option<Duration>) -> Row {
    Row {
        method,
        who,
        deadline,
    }
}

/// All of it.
pub const TABLE: &[Row] = &[
    row("/berth.v1.Allocator/Allocate", NODES, ALLOCATE),
    row("/berth.v1.Allocator/Release", NODES, USUAL),
    row("/berth.v1.Allocator/Check", NODES, USUAL),
    row("/berth.v1.Allocator/Collect", NODES, USUAL),
    row("/berth.v1.Allocator/Status", NODES, USUAL),
    row("/berth.v1.Facts/Report", FACTS, USUAL),
    row("/berth.v1.Admin/CreateVSwitch", ADMINS, USUAL),
    row("/berth.v1.Admin/SetVSwitch", ADMINS, USUAL),
    row("/berth.v1.Admin/DeleteVSwitch", ADMINS, USUAL),
    row("/berth.v1.Admin/GetVSwitch", READERS, USUAL),
    row("/berth.v1.Admin/ListVSwitches", READERS, USUAL),
    row("/berth.v1.Admin/RegisterNode", OPERATORS, USUAL),
    row("/berth.v1.Admin/RemoveNode", OPERATORS, USUAL),
    row("/berth.v1.Admin/GetNode", READERS, USUAL),
    row("/berth.v1.Admin/ListNodes", READERS, USUAL),
    row("/berth.v1.Admin/SetNodePool", ADMINS, USUAL),
    row("/berth.v1.Admin/DeleteNodePool", ADMINS, USUAL),
    row("/berth.v1.Admin/GetNodePool", READERS, USUAL),
    row("/berth.v1.Admin/ListNodePools", READERS, USUAL),
    row("/berth.v1.Admin/ListEnis", READERS, USUAL),
    row("/berth.v1.Admin/ListJobs", READERS, USUAL),
    row("/berth.v1.Admin/CloudStatus", READERS, USUAL),
    row("/berth.v1.Admin/CompareCloud", READERS, USUAL),
    row("/berth.v1.Admin/CreateClaim", OPERATORS, USUAL),
    row("/berth.v1.Admin/DeleteClaim", OPERATORS, USUAL),
    row("/berth.v1.Admin/GetClaim", READERS, USUAL),
    row("/berth.v1.Admin/ListClaims", READERS, USUAL),
    row("/berth.v1.Admin/ListAllocations", READERS, USUAL),
    row("/berth.v1.Admin/ExplainPod", READERS, USUAL),
    row("/berth.v1.Admin/ListHistory", READERS, USUAL),
    row("/berth.v1.Admin/WhoHas", READERS, USUAL),
    row("/berth.v1.Admin/WatchHistory", READERS, USUAL),
    row("/berth.v1.Admin/ClusterStatus", READERS, USUAL),
    row("/berth.v1.Admin/TransferLeadership", ADMINS, USUAL),
    row("/berth.v1.Admin/ListMembers", READERS, USUAL),
    row("/berth.v1.Admin/PromoteMember", ADMINS, USUAL),
    row("/berth.v1.Admin/RemoveMember", ADMINS, USUAL),
    row("/berth.v1.Admin/SetClusterVersion", ADMINS, USUAL),
    row("/berth.v1.Admin/LedgerDigest", READERS, USUAL),
    row("/berth.v1.Admin/Capacity", READERS, USUAL),
    row("/berth.v1.Admin/ValidatePlan", READERS, USUAL),
    row("/berth.v1.Checks/HashAt", READERS, USUAL),
    row("/berth.v1.Checks/VerifyHistory", READERS, USUAL),
    row("/berth.v1.Checks/PlanRepair", READERS, USUAL),
    row("/berth.v1.Checks/Repair", ADMINS, USUAL),
    row("/berth.v1.Recovery/SaveSnapshot", ADMINS, USUAL),
    row("/berth.v1.Recovery/GetRecovery", READERS, USUAL),
    row("/berth.v1.Recovery/NodeReport", NODES, USUAL),
    row("/berth.v1.Recovery/ConfirmNode", ADMINS, USUAL),
    row("/berth.peer.v1.Peer/Exchange", MEMBERS, KEPT),
    row("/berth.peer.v1.Peer/FetchSnapshot", MEMBERS, USUAL),
    row("/berth.peer.v1.Peer/FetchHistory", MEMBERS, USUAL),
    row("/berth.peer.v1.Peer/Join", MEMBERS, ALLOCATE),
    row("/grpc.health.v1.Health/Check", ANYBODY, USUAL),
    row("/grpc.health.v1.Health/List", ANYBODY, USUAL),
    row("/grpc.health.v1.Health/Watch", ANYBODY, USUAL),
    row(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        READERS,
        USUAL,
    ),
];

/// The method's row; none = there is no such method.
pub fn find(method: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.method == method)
}

// === impl Row ===

impl Row {
    /// Whether this role may call it at all.
    pub fn allows(&self, role: Role) -> bool {
        self.who.contains(&role)
    }
}

// === impl Caller ===

impl Caller {
    /// Whether the caller may act for this node: a node for itself, others for any.
    pub fn speaks_for(&self, node: &str) -> bool {
        self.role != Role::Node || *self.name == *node
    }
}

// === impl Role ===

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Local => "local",
            Node => "node",
            Operator => "operator",
            Admin => "admin",
            Observer => "observer",
            Member => "member",
        })
    }
}

#[cfg(test)]
mod tests;
