//! Everything that can be asked of the ledger. One variant here, one file in `apply/`, one message in berth.log.v1.

use crate::address::{AddressRange, NetworkKind, Subnet};
use crate::id::*;
use crate::row::{Policy, RecoveryKind};
use crate::version::ClusterVersion;
use std::net::IpAddr;

mod canonical;
mod job;
mod pool;
mod since;

pub use job::{AdvanceJob, BeginJob, NoteForeign, Plan, Report};
pub use pool::{DeleteNodePool, SetNodePool};

pub(crate) use canonical::digest;

/// What the leader stamps on an entry. The ledger never looks at a clock of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Drives every expiry, ms. The ledger takes the larger of this and its own.
    pub ledger_time_ms: u64,
    /// Only shown, ms since 1970. The ledger takes the larger of this and its own.
    pub wall_time_ms: u64,
}

/// One command with who asked for it and why. Applied all-or-nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Who asks.
    pub principal: Principal,
    /// The caller's id of this request; empty = none. ADD and DEL need none.
    pub request_id: RequestId,
    /// The trace it belongs to.
    pub trace_id: Option<[u8; 16]>,
    /// Why, in the caller's words.
    pub reason: Reason,
    /// The facts it was decided on.
    pub facts: Option<FactsVersion>,
    /// What to do.
    pub command: Command,
}

/// Which facts a decision saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactsVersion {
    /// The source's epoch.
    pub epoch: u64,
    /// The last version seen of it.
    pub version: u64,
}

/// Everything that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A new vSwitch.
    CreateVSwitch(CreateVSwitch),
    /// Ends a vSwitch that nothing uses.
    DeleteVSwitch(DeleteVSwitch),
    /// Makes a node known, or changes its attributes.
    RegisterNode(RegisterNode),
    /// Forgets a node; with a confirmed death its allocations end.
    RemoveNode(RemoveNode),
    /// A new claim, with its addresses.
    CreateClaim(CreateClaim),
    /// Ends a claim.
    DeleteClaim(DeleteClaim),
    /// Free addresses become a node's warm ones.
    Stock(Stock),
    /// A node's warm addresses become free.
    Reclaim(Reclaim),
    /// An attachment gets addresses: the ADD.
    Bind(Bind),
    /// An attachment ends: the DEL.
    Release(Release),
    /// Everything due at the header's ledger time.
    Expire(Expire),
    /// Makes a replica known.
    RegisterMember(RegisterMember),
    /// Forgets a replica.
    RemoveMember(RemoveMember),
    /// Raises the cluster version.
    SetClusterVersion(SetClusterVersion),
    /// Mends one thing that a check found wrong.
    Repair(Repair),
    /// Changes nothing: what a rehearsed upgrade writes.
    Rehearse(Rehearse),
    /// Begins the cluster anew out of a backup or of one member's directory.
    Recover(Recover),
    /// What lives on a node, after a recovery.
    ConfirmNode(ConfirmNode),
    /// Cloud calls are to be made for a node's ENIs: the intent.
    BeginJob(BeginJob),
    /// What came of a job's call, or of a look at the cloud.
    AdvanceJob(AdvanceJob),
    /// Addresses are somebody else's in the cloud, or are not any more.
    NoteForeign(NoteForeign),
    /// A new pool of nodes, or other settings of a known one.
    SetNodePool(SetNodePool),
    /// Ends a pool that has no nodes.
    DeleteNodePool(DeleteNodePool),
    /// Other CIDRs, exclusions or rest of a known vSwitch.
    SetVSwitch(SetVSwitch),
}

/// See [`Command::CreateVSwitch`]. Refused if the name exists, a CIDR has host bits or overlaps another vSwitch's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateVSwitch {
    /// Unique.
    pub name: VSwitchName,
    /// May be empty.
    pub zone: Zone,
    /// At least one family.
    pub ipv4: Option<Subnet>,
    /// At least one family.
    pub ipv6: Option<Subnet>,
    /// By the administrator; those by rule are added.
    pub exclusions: Vec<AddressRange>,
    /// ms of ledger time.
    pub cooling_ms: u64,
    /// Which rule excludes.
    pub kind: NetworkKind,
    /// As the cloud names it; of a VPC only, and unique.
    pub cloud: Option<CloudVSwitchId>,
}

/// See [`Command::SetVSwitch`]. Each CIDR holds the old one or lies in it; refused while an address that would not be given out any more
/// is other than free, cooling or foreign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetVSwitch {
    /// Which.
    pub name: VSwitchName,
    /// Of the families that it has.
    pub ipv4: Option<Subnet>,
    /// Of the families that it has.
    pub ipv6: Option<Subnet>,
    /// By the administrator, all of them; those by rule are added.
    pub exclusions: Vec<AddressRange>,
    /// ms of ledger time.
    pub cooling_ms: u64,
}

/// See [`Command::DeleteVSwitch`]. Refused while any address is other than free, cooling or excluded, or a claim lives in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteVSwitch {
    /// Which.
    pub name: VSwitchName,
}

/// See [`Command::RegisterNode`]. The same identity changes attributes; another identity under a known name is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterNode {
    /// An attribute.
    pub name: NodeName,
    /// What makes it this node.
    pub identity: NodeIdentity,
    /// May be empty.
    pub zone: Zone,
    /// May be empty.
    pub instance_type: InstanceType,
    /// ENI slots for pods; 0 = no limit.
    pub eni_slots: u32,
    /// Per ENI; 0 = no limit.
    pub addresses_per_eni: u32,
    /// Per family; 0 in a pool, which says it itself.
    pub warm_target: u32,
    /// Into which pool. It has to have a vSwitch in the node's zone.
    pub pool: Option<NodePoolId>,
}

/// See [`Command::RemoveNode`]. Without `confirmed_dead` refused while it has allocations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveNode {
    /// Which.
    pub node: NodeId,
    /// An audited word that nothing runs there any more: its allocations end, claims become hand-over ready.
    pub confirmed_dead: bool,
}

/// See [`Command::CreateClaim`]. Addresses chosen by the leader or asked for; one per family of the vSwitch, or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateClaim {
    /// Unique.
    pub name: ClaimName,
    /// From which vSwitch.
    pub vswitch: VSwitchId,
    /// IPv4 first.
    pub addresses: Vec<IpAddr>,
    /// When it ends by itself.
    pub policy: Policy,
}

/// See [`Command::DeleteClaim`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteClaim {
    /// Which.
    pub claim: ClaimId,
    /// An audited word that the holder is gone; without it refused while there is one.
    pub override_holder: bool,
    /// Said by housekeeping when the pod of a `Delete` claim is gone: refused if there is a holder again.
    pub policy_fired: bool,
}

/// See [`Command::Stock`]. Refused as [`crate::outcome::Refusal::Taken`] if one is not free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// Whose addresses.
    pub vswitch: VSwitchId,
    /// For which node.
    pub node: NodeId,
    /// On which ENI; none on a routed network.
    pub eni: Option<EniId>,
    /// Which.
    pub addresses: Vec<IpAddr>,
}

/// See [`Command::Reclaim`]. Refused as `Taken` if one is not this node's idle one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reclaim {
    /// Whose addresses.
    pub vswitch: VSwitchId,
    /// From which node.
    pub node: NodeId,
    /// Which.
    pub addresses: Vec<IpAddr>,
}

/// See [`Command::Bind`]. A repeat answers with what the first made, and a later call of it counts for what a DEL may
/// end; a newer sandbox of the same pod uid, network
/// and interface on the same node supersedes the older in the same command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// Whose.
    pub key: AttachmentKey,
    /// Where.
    pub node: NodeId,
    /// In which boot.
    pub boot: BootId,
    /// When the shim started, boot-time clock, ms.
    pub invoked_at_ms: u64,
    /// For whom.
    pub pod: PodIdentity,
    /// From which vSwitch.
    pub vswitch: VSwitchId,
    /// On which ENI; none on a routed network.
    pub eni: Option<EniId>,
    /// Chosen by the leader: free, or this node's idle, or the claim's. One per family the vSwitch has, IPv4 first.
    pub addresses: Vec<IpAddr>,
    /// Static, or not.
    pub claim: BindClaim,
    /// Digest of what the caller asked for.
    pub parameters: [u8; 16],
}

/// Whether a bind is static.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindClaim {
    /// It is not. Refused as `Taken` if the pod has a claim by now.
    None,
    /// It takes this claim's addresses.
    Existing(ClaimId),
    /// It makes a claim of the chosen addresses.
    New {
        /// Whose.
        name: ClaimName,
        /// When it ends by itself.
        policy: Policy,
    },
}

/// What shows that a sandbox is gone (design §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// The DEL of a shim without an agent: a claim's addresses settle for 2 s before a hand-over.
    Del,
    /// A runtime's GC, naming what is valid. It settles like a DEL.
    Collect,
    /// An administrator's audited word.
    Admin,
    /// The node is confirmed dead.
    NodeDead,
}

/// See [`Command::Release`]. Of an unknown attachment: success, and a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Whose.
    pub key: AttachmentKey,
    /// Where it was said; 0 = it is not known where. A DEL of another node frees nothing.
    pub node: NodeId,
    /// In which boot.
    pub boot: BootId,
    /// When the shim started, boot-time clock, ms. A DEL invoked before the ADD of the same boot frees nothing.
    pub invoked_at_ms: u64,
    /// Only this bind; none = key and `invoked_at_ms` decide.
    pub generation: Option<Generation>,
    /// How it is known.
    pub proof: Proof,
    /// By the facts at decision, the pod object is gone: a `Delete` claim ends.
    pub pod_gone: bool,
}

/// See [`Command::Expire`]. Takes a revision only if something was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expire {
    /// At most so many rows.
    pub limit: u32,
}

/// See [`Command::RegisterMember`]. Refused if the id is known with another store, or the cluster id differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterMember {
    /// Of which Berth cluster.
    pub cluster: ClusterId,
    /// Who.
    pub id: MemberId,
    /// Its name.
    pub name: NodeName,
    /// For clients.
    pub client_endpoint: Endpoint,
    /// For replicas.
    pub peer_endpoint: Endpoint,
    /// Its store's uuid.
    pub store: [u8; 16],
    /// Whether it gets its vote once it has caught up.
    pub vote: Vote,
}

/// See [`RegisterMember`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Vote {
    /// As it is known; a new member gets it.
    #[default]
    AsKnown,
    /// It stays a learner until somebody says otherwise.
    Withheld,
    /// It gets it.
    Given,
}

/// See [`Command::RemoveMember`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoveMember {
    /// Who.
    pub id: MemberId,
}

/// See [`Command::SetClusterVersion`]. Refused below the version that the cluster has. Proposed by a leader that has heard
/// of every member that it can apply the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetClusterVersion {
    /// The version that the log is written at from here on.
    pub to: ClusterVersion,
}

/// See [`Command::Repair`]. Each is refused where what it mends is not broken: a repair never harms what is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// An allocation on a node that is not there ends.
    EndAllocation {
        /// Whose.
        key: AttachmentKey,
        /// Which bind was found.
        generation: Generation,
    },
    /// An address that is bound, warm or kept for something that is not there cools.
    FreeAddress {
        /// Which.
        address: IpAddr,
    },
    /// A claim that ends with its pod ends: it has no holder, and its pod does not exist.
    EndClaim {
        /// Which.
        claim: ClaimId,
        /// Of the last bind that was found: refused if it was bound since.
        generation: Generation,
    },
}

/// See [`Command::Rehearse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rehearse;

/// See [`Command::Recover`]. From then on nothing is given out until every node has said what lives on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recover {
    /// The cluster's new id: what still speaks for the old one is refused by it.
    pub cluster: ClusterId,
    /// What happened.
    pub kind: RecoveryKind,
    /// How many revisions are skipped, [`crate::apply::JUMP_MIN`] at least: ids and revisions that the old cluster gave
    /// after what is known here are never given again.
    pub revision_jump: u64,
    /// Nodes may have joined that the ledger does not know: an administrator has to say that there are none.
    pub unknown_nodes: bool,
}

/// See [`Command::ConfirmNode`]. A node that owes nothing changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmNode {
    /// Which; [`crate::row::UNKNOWN_NODES`] = those that the ledger does not know.
    pub node: NodeId,
    /// Whose word it is.
    pub word: Word,
    /// Every sandbox that lives there. An administrator's word is that there is none that the ledger does not know.
    pub live: Vec<Live>,
}

/// Whose word it is that tells what lives on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// The node's own, complete.
    Report,
    /// An administrator's: the node is empty, or gone.
    Admin,
}

/// A sandbox that lives on a node, as the node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its key.
    pub key: AttachmentKey,
    /// In which boot.
    pub boot: BootId,
    /// When its shim started, boot-time clock, ms.
    pub invoked_at_ms: u64,
    /// For whom.
    pub pod: PodIdentity,
    /// On which ENI; none on a routed network.
    pub eni: Option<EniId>,
    /// What it uses, IPv4 first.
    pub addresses: Vec<IpAddr>,
}

/// Every name of [`Command::name`].
pub const NAMES: [&str; 24] = [
    "create-vswitch",
    "delete-vswitch",
    "register-node",
    "remove-node",
    "create-claim",
    "delete-claim",
    "stock",
    "reclaim",
    "bind",
    "release",
    "expire",
    "register-member",
    "remove-member",
    "set-cluster-version",
    "repair",
    "rehearse",
    "recover",
    "confirm-node",
    "begin-job",
    "advance-job",
    "note-foreign",
    "set-node-pool",
    "delete-node-pool",
    "set-vswitch",
];

/// The static text of a command's name, for whoever reads one back.
pub fn cause(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|known| *known == name)
}

// === impl Command ===

impl Command {
    /// Its name, as the history has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateVSwitch(_) => "create-vswitch",
            Self::DeleteVSwitch(_) => "delete-vswitch",
            Self::RegisterNode(_) => "register-node",
            Self::RemoveNode(_) => "remove-node",
            Self::CreateClaim(_) => "create-claim",
            Self::DeleteClaim(_) => "delete-claim",
            Self::Stock(_) => "stock",
            Self::Reclaim(_) => "reclaim",
            Self::Bind(_) => "bind",
            Self::Release(_) => "release",
            Self::Expire(_) => "expire",
            Self::RegisterMember(_) => "register-member",
            Self::RemoveMember(_) => "remove-member",
            Self::SetClusterVersion(_) => "set-cluster-version",
            Self::Repair(_) => "repair",
            Self::Rehearse(_) => "rehearse",
            Self::Recover(_) => "recover",
            Self::ConfirmNode(_) => "confirm-node",
            Self::BeginJob(_) => "begin-job",
            Self::AdvanceJob(_) => "advance-job",
            Self::NoteForeign(_) => "note-foreign",
            Self::SetNodePool(_) => "set-node-pool",
            Self::DeleteNodePool(_) => "delete-node-pool",
            Self::SetVSwitch(_) => "set-vswitch",
        }
    }

    /// Its number in the digest of a request: 16 less than that of its message. It never changes.
    pub(crate) fn number(&self) -> u8 {
        match self {
            Self::CreateVSwitch(_) => 0,
            Self::DeleteVSwitch(_) => 1,
            Self::RegisterNode(_) => 2,
            Self::RemoveNode(_) => 3,
            Self::CreateClaim(_) => 4,
            Self::DeleteClaim(_) => 5,
            Self::Stock(_) => 6,
            Self::Reclaim(_) => 7,
            Self::Bind(_) => 8,
            Self::Release(_) => 9,
            Self::Expire(_) => 10,
            Self::RegisterMember(_) => 11,
            Self::RemoveMember(_) => 12,
            Self::SetClusterVersion(_) => 15,
            Self::Repair(_) => 16,
            Self::Rehearse(_) => 84,
            Self::Recover(_) => 13,
            Self::ConfirmNode(_) => 14,
            Self::BeginJob(_) => 17,
            Self::AdvanceJob(_) => 18,
            Self::NoteForeign(_) => 19,
            Self::SetNodePool(_) => 20,
            Self::DeleteNodePool(_) => 21,
            Self::SetVSwitch(_) => 22,
        }
    }
}
