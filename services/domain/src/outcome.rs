//! What the ledger answers. A refusal is a value, the same on every replica; it changes nothing and takes no revision.

use crate::id::*;
use crate::row::Allocation;
use crate::version::ClusterVersion;
use std::net::IpAddr;
use std::sync::Arc;

/// A command's answer, with the revision at which it became true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The command's own revision if it changed something, else the current one.
    pub revision: Revision,
    /// What it answers.
    pub result: Result<Outcome, Refusal>,
}

/// What a command did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The attachment holds these addresses. `created` is false if a repeat found them.
    Bound {
        /// What it holds.
        allocation: Arc<Allocation>,
        /// False = an earlier call made it.
        created: bool,
    },
    /// The attachment holds nothing any more. `released` is false if it held nothing before.
    Released {
        /// False = it held nothing.
        released: bool,
    },
    /// A vSwitch was made.
    VSwitch(VSwitchId),
    /// A node was registered.
    Node(NodeId),
    /// A claim was made, with these addresses.
    Claim {
        /// Which.
        id: ClaimId,
        /// IPv4 first.
        addresses: Vec<IpAddr>,
    },
    /// So many rows changed by `Expire`, `Stock` or `Reclaim`; 0 = nothing was due.
    Rows(u32),
    /// A job was begun.
    Job(JobId),
    /// It was done; there is nothing to say.
    Done,
    /// A node's word was taken.
    Confirmed {
        /// Sandboxes that the ledger did not know, and has taken over.
        adopted: u32,
        /// Sandboxes with addresses that are not their own.
        strays: u32,
        /// How many nodes still owe their word; 0 = the recovery is closed.
        waiting: u32,
    },
}

/// Why not: a closed set. `Display` is one sentence for people that names the limit and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A field is malformed or beyond its limit.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which field, as the caller knows it.
        field: &'static str,
        /// Why not.
        reason: String,
    },
    /// What was named is not there.
    #[error("{what} {name} does not exist")]
    NotFound {
        /// Which kind of thing.
        what: &'static str,
        /// Which one.
        name: String,
    },
    /// What was to be made is there.
    #[error("{what} {name} exists already")]
    AlreadyExists {
        /// Which kind of thing.
        what: &'static str,
        /// Which one.
        name: String,
    },
    /// A chosen address is not what the chooser thought: choose again.
    #[error("address {address} was taken meanwhile")]
    Taken {
        /// Which.
        address: IpAddr,
    },
    /// A specific address is in use or kept for somebody.
    #[error("address {address} is {state}, held by {holder}")]
    AddressInUse {
        /// Which.
        address: IpAddr,
        /// What it is.
        state: &'static str,
        /// Who has it, in words.
        holder: String,
    },
    /// An address lies outside the vSwitch, or is excluded.
    #[error("address {address} is not one that vSwitch {vswitch} gives out: {reason}")]
    OutOfRange {
        /// Which.
        address: IpAddr,
        /// Which was asked.
        vswitch: VSwitchName,
        /// Why not.
        reason: &'static str,
    },
    /// The same key with other parameters.
    #[error("attachment {key} exists with other parameters: delete it first")]
    ParametersChanged {
        /// Whose.
        key: Arc<AttachmentKey>,
    },
    /// The ADD was invoked before a DEL of the same attachment.
    #[error("attachment {key} was deleted after this ADD was invoked")]
    Tombstone {
        /// Whose.
        key: Arc<AttachmentKey>,
    },
    /// The claim's address has a holder, or its hand-over is not settled: try again at the time named.
    #[error("claim {claim} is held by {holder}; a new holder needs proof that it is gone")]
    HeldByLiveHolder {
        /// Which.
        claim: ClaimName,
        /// Who has it, in words.
        holder: String,
        /// Ledger time from which on it may be had; none = not known.
        settled_at_ms: Option<u64>,
    },
    /// The generation named is not the one that is bound.
    #[error("generation {named} of {key} is not the one bound ({bound})")]
    StaleGeneration {
        /// Whose.
        key: Arc<AttachmentKey>,
        /// The one in the request.
        named: Generation,
        /// The one that lives.
        bound: Generation,
    },
    /// The node has no slot left.
    #[error("node {node} has {used} of {capacity} addresses in use")]
    NodeFull {
        /// Where.
        node: NodeName,
        /// Addresses of one family that stand there.
        used: u32,
        /// What fits.
        capacity: u32,
    },
    /// Two CIDRs overlap.
    #[error("{cidr} overlaps {other} of vSwitch {vswitch}")]
    Overlap {
        /// What was to be made.
        cidr: String,
        /// What is there.
        other: String,
        /// Whose that is.
        vswitch: VSwitchName,
    },
    /// The cluster is at an older version than the command needs: some member may not be able to apply it.
    #[error(
        "{command} needs cluster version {needed}, and the cluster is at {current}: it rises by itself once every member \
         runs a program that can apply {needed} (`berthctl version show` says who does not)"
    )]
    VersionTooLow {
        /// The command's name.
        command: &'static str,
        /// What it needs.
        needed: ClusterVersion,
        /// What the cluster has.
        current: ClusterVersion,
    },
    /// The cluster version does not go back.
    #[error(
        "the cluster is at version {current} and does not go back to {to}: its log may hold what {to} cannot apply"
    )]
    VersionLowered {
        /// What the cluster has.
        current: ClusterVersion,
        /// What was asked for.
        to: ClusterVersion,
    },
    /// What a repair would mend is not broken, or not any more.
    #[error("{what} {name} needs no repair: {reason}")]
    NotBroken {
        /// Which kind of thing.
        what: &'static str,
        /// Which one.
        name: String,
        /// How it stands.
        reason: String,
    },
    /// A recovery is open: nothing is given out before every node has said what lives on it. Try again later.
    #[error(
        "the cluster was restored, and {waiting} {} not said yet what lives there (the first: {first}): no new address is given out until then; see berthctl recover status",
        if *waiting == 1 { "node has" } else { "nodes have" }
    )]
    Recovering {
        /// How many still owe their word.
        waiting: u32,
        /// One of them, in words.
        first: String,
    },
    /// A job is at another step than the one reported on: somebody was faster, or the report is late.
    #[error("job {job} is at {step}, attempt {attempt}: the report is of another step")]
    JobMovedOn {
        /// Which.
        job: JobId,
        /// Where it is.
        step: &'static str,
        /// How often the step was begun anew.
        attempt: u32,
    },
    /// The node has as many ENIs as it can.
    #[error("node {node} has {used} of {capacity} ENIs for pods")]
    NoEniSlot {
        /// Where.
        node: NodeName,
        /// ENIs that are there, or on their way in or out.
        used: u32,
        /// What fits.
        capacity: u32,
    },
    /// The ENI has as many addresses of a family as it can.
    #[error("ENI {eni} has {used} of {capacity} addresses")]
    EniFull {
        /// Which.
        eni: EniNumber,
        /// Addresses that are on it, or on their way.
        used: u32,
        /// What fits.
        capacity: u32,
    },
    /// Something still uses it.
    #[error("{what} {name} is in use: {by}")]
    InUse {
        /// Which kind of thing.
        what: &'static str,
        /// Which one.
        name: String,
        /// What uses it, in words.
        by: String,
    },
}
