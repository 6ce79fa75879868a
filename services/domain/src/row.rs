//! The rows of the ledger: what one replica keeps in memory and a snapshot holds.
//!
//! A command is decided by computing [`Change`]s of rows, and takes effect only by installing them,
//! so that replaying the changes of a history gives the state (H2).

use crate::address::{AddressRange, NetworkKind, Subnet};
use crate::id::*;
use crate::outcome::Outcome;
use crate::version::ClusterVersion;
use std::net::IpAddr;
use std::sync::Arc;

mod eni;
mod job;
mod pool;
mod recovery;
mod transition;

pub use eni::{Eni, EniKind, EniState};
pub use job::{CALL_LIFE_MS, Cause, Job, Step, Work};
pub use pool::{EniTag, IdleSettings, NodePool, VSwitchChoice};

pub use recovery::{Recovery, RecoveryKind, Stray, StrayCause, UNKNOWN_NODES};
pub use transition::{Phase, TRANSITIONS, allowed};

/// The life of an address (design §4; drawn in OVERVIEW.md). An address without a row was never used and is free.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AddressState {
    /// Used before, free since this revision. Reuse is oldest-free-first.
    Free {
        /// From this revision on.
        since: Revision,
    },
    /// A job brings it onto an ENI of this node; nobody may use it before the cloud has confirmed that it is there.
    Reserved {
        /// Where.
        node: NodeId,
        /// Which job; it names the ENI.
        job: JobId,
    },
    /// Warm: this node's alone. No ENI on a routed network.
    Idle {
        /// Where.
        node: NodeId,
        /// On which ENI; none on a routed network.
        eni: Option<EniId>,
    },
    /// Held by a live sandbox.
    Bound {
        /// Where.
        node: NodeId,
        /// Whose.
        key: Arc<AttachmentKey>,
        /// Which bind.
        generation: Generation,
    },
    /// Given back; not available before `until_ms` of ledger time.
    Cooling {
        /// ms of ledger time.
        until_ms: u64,
        /// Where it still stands; none = nowhere.
        node: Option<NodeId>,
        /// On which ENI it still stands.
        eni: Option<EniId>,
    },
    /// A job takes it from its ENI.
    Releasing {
        /// Where it takes room; none = its node was removed.
        node: Option<NodeId>,
        /// Which job; it names the ENI.
        job: JobId,
    },
    /// Kept for its claim, without a live sandbox.
    Held {
        /// For which.
        claim: ClaimId,
    },
    /// Kept for its claim; that the old holder is gone is not proven yet.
    Disputed {
        /// For which.
        claim: ClaimId,
    },
    /// Perhaps in use, nobody has said.
    Quarantined {
        /// From this revision on.
        since: Revision,
    },
    /// Somebody else's.
    Foreign,
    /// Never given out.
    Excluded,
}

/// A vSwitch: a CIDR per family, in one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VSwitch {
    /// Its id.
    pub id: VSwitchId,
    /// Its name; unique.
    pub name: VSwitchName,
    /// Its zone.
    pub zone: Zone,
    /// Its IPv4 subnet.
    pub ipv4: Option<Subnet>,
    /// Its IPv6 subnet.
    pub ipv6: Option<Subnet>,
    /// Never given out: by rule and by the administrator; sorted, disjoint, merged.
    pub excluded: Vec<AddressRange>,
    /// How long a released address rests, ms of ledger time.
    pub cooling_ms: u64,
    /// Which exclusions apply by rule.
    pub kind: NetworkKind,
    /// As the cloud names it; unique. Without it no ENI is made in it.
    pub cloud: Option<CloudVSwitchId>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// Its name; unique among the nodes that are there.
    pub name: NodeName,
    /// What makes it this node.
    pub identity: NodeIdentity,
    /// Its zone.
    pub zone: Zone,
    /// Its instance type.
    pub instance_type: InstanceType,
    /// ENI slots for pods (EniQuantity - 1); 0 = no ENIs, no limit (routed).
    pub eni_slots: u32,
    /// EniPrivateIpAddressQuantity; 0 = no limit.
    pub addresses_per_eni: u32,
    /// How many warm addresses it keeps per family; 0 = none. In a pool it is 0: the pool says it.
    pub warm_target: u32,
    /// The pool it is of. Then its identity is its instance's id, and its addresses stand on ENIs.
    pub pool: Option<NodePoolId>,
}

/// Of a sandbox that was adopted after a recovery: it lives, and nobody knows what it had asked for. No digest is this.
pub const UNKNOWN_PARAMETERS: [u8; 16] = [0xff; 16];

/// An address, or a pair, bound to an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Its key.
    pub key: Arc<AttachmentKey>,
    /// The bind's revision.
    pub generation: Generation,
    /// Where.
    pub node: NodeId,
    /// In which boot of the node.
    pub boot: BootId,
    /// When the shim started, boot-time clock, ms.
    pub invoked_at_ms: u64,
    /// For whom.
    pub pod: PodIdentity,
    /// From which vSwitch.
    pub vswitch: VSwitchId,
    /// On which ENI; none on a routed network.
    pub eni: Option<EniId>,
    /// IPv4 first; one per family.
    pub addresses: Vec<IpAddr>,
    /// The claim whose addresses these are, if they are static.
    pub claim: Option<ClaimId>,
    /// Digest of what the caller asked for, or [`UNKNOWN_PARAMETERS`].
    pub parameters: [u8; 16],
    /// Ledger time of the bind.
    pub bound_at_ms: u64,
    /// Wall time of the bind; only shown.
    pub bound_wall_ms: u64,
}

/// When a claim gives its address back by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// With its pod.
    Delete,
    /// So many ms of ledger time after its last holder.
    Ttl {
        /// ms of ledger time.
        ttl_ms: u64,
    },
    /// Only by an administrator.
    Never,
}

/// Whether somebody lives at a claim's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// Nobody does.
    Held {
        /// Since this ledger time.
        since_ms: u64,
        /// A new holder may bind from this ledger time on: the old one's link may outlive its DEL for 2 s.
        settled_at_ms: u64,
        /// The policy fires then; none = it does not.
        release_at_ms: Option<u64>,
    },
    /// This attachment does.
    Bound {
        /// Whose.
        key: Arc<AttachmentKey>,
        /// Which bind.
        generation: Generation,
        /// Where.
        node: NodeId,
    },
}

/// A durable right to addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its id.
    pub id: ClaimId,
    /// Whose; unique.
    pub name: ClaimName,
    /// From which vSwitch.
    pub vswitch: VSwitchId,
    /// IPv4 first; one per family.
    pub addresses: Vec<IpAddr>,
    /// When it ends by itself.
    pub policy: Policy,
    /// Who has it now.
    pub state: ClaimState,
    /// Grows with every hand-over: the generation of the last bind, or of the creation.
    pub generation: Generation,
}

/// A DEL that was seen: an ADD of the same key invoked earlier in that boot is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// In which boot.
    pub boot: BootId,
    /// The DEL's `invoked_at`, ms.
    pub invoked_at_ms: u64,
    /// Forgotten at this ledger time.
    pub expires_at_ms: u64,
}

/// The answer of a request that carried an id: successes only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestResult {
    /// Digest of the command: the same id with another command is refused.
    pub command: [u8; 16],
    /// What it answered.
    pub outcome: Outcome,
    /// Forgotten at this ledger time.
    pub expires_at_ms: u64,
}

/// A replica, as registered: a wiped or foreign directory cannot pass for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: MemberId,
    /// Its name.
    pub name: NodeName,
    /// Where clients reach it.
    pub client_endpoint: Endpoint,
    /// Where replicas reach it.
    pub peer_endpoint: Endpoint,
    /// Its store's uuid.
    pub store: [u8; 16],
    /// It was asked for as one that only receives: it gets no vote until an administrator promotes it.
    pub stays_learner: bool,
}

/// What is true of the whole cluster. There is one, from the beginning on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// The version that the log is written at.
    pub version: ClusterVersion,
}

/// One row, before and after; an absent side means that the row is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An address of a vSwitch.
    Address {
        /// Whose it is.
        vswitch: VSwitchId,
        /// Which.
        address: IpAddr,
        /// Absent = it was not there.
        before: Option<AddressState>,
        /// Absent = it is not there any more.
        after: Option<AddressState>,
    },
    /// An allocation.
    Allocation {
        /// Whose.
        key: Arc<AttachmentKey>,
        /// Absent = it was not there.
        before: Option<Arc<Allocation>>,
        /// Absent = it is not there any more.
        after: Option<Arc<Allocation>>,
    },
    /// A claim.
    Claim {
        /// Which.
        id: ClaimId,
        /// Absent = it was not there.
        before: Option<Arc<Claim>>,
        /// Absent = it is not there any more.
        after: Option<Arc<Claim>>,
    },
    /// A node.
    Node {
        /// Which.
        id: NodeId,
        /// Absent = it was not there.
        before: Option<Arc<Node>>,
        /// Absent = it is not there any more.
        after: Option<Arc<Node>>,
    },
    /// A vSwitch.
    VSwitch {
        /// Which.
        id: VSwitchId,
        /// Absent = it was not there.
        before: Option<Arc<VSwitch>>,
        /// Absent = it is not there any more.
        after: Option<Arc<VSwitch>>,
    },
    /// A tombstone.
    Tombstone {
        /// Whose.
        key: Arc<AttachmentKey>,
        /// Absent = it was not there.
        before: Option<Tombstone>,
        /// Absent = it is not there any more.
        after: Option<Tombstone>,
    },
    /// A request's result, by (principal, request id).
    Request {
        /// Who asked.
        principal: Principal,
        /// Which.
        id: RequestId,
        /// Absent = it was not there.
        before: Option<Arc<RequestResult>>,
        /// Absent = it is not there any more.
        after: Option<Arc<RequestResult>>,
    },
    /// A replica.
    Member {
        /// Which.
        id: MemberId,
        /// Absent = it was not there.
        before: Option<Arc<Member>>,
        /// Absent = it is not there any more.
        after: Option<Arc<Member>>,
    },
    /// The cluster's own row.
    Cluster {
        /// As it was.
        before: Cluster,
        /// As it is.
        after: Cluster,
    },
    /// The last recovery: it begins or closes.
    Recovery {
        /// Absent = there was none.
        before: Option<Arc<Recovery>>,
        /// Never absent: the last one is remembered.
        after: Option<Arc<Recovery>>,
    },
    /// Whether a node owes a report in the recovery that is open.
    OwedReport {
        /// Which.
        node: NodeId,
        /// It did.
        before: bool,
        /// It does.
        after: bool,
    },
    /// A pool of nodes.
    NodePool {
        /// Which.
        id: NodePoolId,
        /// Absent = it was not there.
        before: Option<Arc<NodePool>>,
        /// Absent = it is not there any more.
        after: Option<Arc<NodePool>>,
    },
    /// An ENI of ours.
    Eni {
        /// Which.
        number: EniNumber,
        /// Absent = it was not there.
        before: Option<Arc<Eni>>,
        /// Absent = it is not there any more.
        after: Option<Arc<Eni>>,
    },
    /// A job of cloud calls.
    Job {
        /// Which.
        id: JobId,
        /// Absent = it was not there.
        before: Option<Arc<Job>>,
        /// Absent = it has ended.
        after: Option<Arc<Job>>,
    },
    /// A stray sandbox.
    Stray {
        /// Where.
        node: NodeId,
        /// Whose.
        key: Arc<AttachmentKey>,
        /// Absent = it was not there.
        before: Option<Arc<Stray>>,
        /// Absent = it is not there any more.
        after: Option<Arc<Stray>>,
    },
}
