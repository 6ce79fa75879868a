//! A job: cloud calls that belong together, one step at a time. The intent of each step is here before the call is made, and
//! what came of it before the next one.

use crate::id::*;
use std::fmt;
use std::net::IpAddr;

/// How long a request may still take effect after it was sent and its end is not known, ms: the cloud takes a signature for
/// 15 minutes, and a clock may be a minute off.
pub const CALL_LIFE_MS: u64 = 16 * 60_000;

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// For which node. The node may have been removed since: then the ENI is leaving.
    pub node: NodeId,
    /// In which vSwitch the addresses are.
    pub vswitch: VSwitchId,
    /// On which ENI.
    pub eni: EniNumber,
    /// What is to be done.
    pub work: Work,
    /// The addresses that are still the job's, IPv4 first, each family sorted; all of them reserved, or all releasing.
    pub addresses: Vec<IpAddr>,
    /// Where it is.
    pub step: Step,
    /// How often this step was begun anew with another call: part of the call's token.
    pub attempt: u32,
    /// Ledger time of its begin.
    pub began_ms: u64,
    /// Ledger time since which it is at this step.
    pub step_since_ms: u64,
    /// A call of this job, sent by somebody who never told how it ended, may take effect until this ledger time. None = there is none.
    pub doubt_until_ms: Option<u64>,
    /// Why the last call did not succeed; none = none failed at this step.
    pub trouble: Option<Cause>,
}

/// What a job is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// An ENI is made with addresses on it, and attached.
    CreateEni,
    /// Addresses go onto an ENI.
    Assign,
    /// Addresses leave an ENI.
    Unassign,
    /// An ENI is detached and deleted, with all that is on it.
    DeleteEni,
}

/// A step: one call, or waiting until a look shows what a call has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Call: make the ENI.
    Create,
    /// Call: attach it.
    Attach,
    /// Look: until it is on the instance.
    AwaitAttached,
    /// Call: the IPv4 addresses go onto the ENI.
    AssignIpv4,
    /// Call: the IPv6 addresses go onto the ENI.
    AssignIpv6,
    /// Call: the IPv4 addresses leave the ENI.
    UnassignIpv4,
    /// Call: the IPv6 addresses leave the ENI.
    UnassignIpv6,
    /// Look: until none of them is on the ENI.
    AwaitUnassigned,
    /// Call: detach it.
    Detach,
    /// Look: until it is on nothing.
    AwaitDetached,
    /// Call: delete it.
    Delete,
    /// Look: until it is not there.
    AwaitDeleted,
}

/// Why a call did not succeed, as far as it matters for what comes next: a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Nobody knows whether it was done.
    Unknown,
    /// An address is somebody else's.
    AddressTaken,
    /// The vSwitch has no address left, or its quota is used up.
    VSwitchFull,
    /// The account, the instance or the ENI has as many as it can.
    Quota,
    /// The security group is gone, or has as many addresses as it can.
    SecurityGroup,
    /// The instance or the vSwitch is gone, or in another zone.
    Elsewhere,
    /// The ENI is in a state in which this cannot be done.
    WrongState,
    /// The credentials are not accepted, or have no right to it.
    Credentials,
    /// Anything else.
    Other,
}

// === impl Work ===

impl Work {
    /// Every one. The log numbers them as they stand here: new ones come last.
    pub const ALL: [Self; 4] = [
        Self::CreateEni,
        Self::Assign,
        Self::Unassign,
        Self::DeleteEni,
    ];

    /// For people: "create-eni".
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateEni => "create-eni",
            Self::Assign => "assign",
            Self::Unassign => "unassign",
            Self::DeleteEni => "delete-eni",
        }
    }

    /// Whether what it brings stays reserved until the cloud confirms it; else it takes away.
    pub fn brings(self) -> bool {
        matches!(self, Self::CreateEni | Self::Assign)
    }
}

// === impl Step ===

impl Step {
    /// Every one. The log numbers them as they stand here: new ones come last.
    pub const ALL: [Self; 12] = [
        Self::Create,
        Self::Attach,
        Self::AwaitAttached,
        Self::AssignIpv4,
        Self::AssignIpv6,
        Self::UnassignIpv4,
        Self::UnassignIpv6,
        Self::AwaitUnassigned,
        Self::Detach,
        Self::AwaitDetached,
        Self::Delete,
        Self::AwaitDeleted,
    ];

    /// For people: "await-attached".
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Attach => "attach",
            Self::AwaitAttached => "await-attached",
            Self::AssignIpv4 => "assign-ipv4",
            Self::AssignIpv6 => "assign-ipv6",
            Self::UnassignIpv4 => "unassign-ipv4",
            Self::UnassignIpv6 => "unassign-ipv6",
            Self::AwaitUnassigned => "await-unassigned",
            Self::Detach => "detach",
            Self::AwaitDetached => "await-detached",
            Self::Delete => "delete",
            Self::AwaitDeleted => "await-deleted",
        }
    }

    /// Whether it waits for what a call has begun; else it is a call.
    pub fn only_looks(self) -> bool {
        matches!(
            self,
            Self::AwaitAttached | Self::AwaitUnassigned | Self::AwaitDetached | Self::AwaitDeleted
        )
    }
}

// === impl Cause ===

impl Cause {
    /// Every one. The log numbers them as they stand here: new ones come last.
    pub const ALL: [Self; 9] = [
        Self::Unknown,
        Self::AddressTaken,
        Self::VSwitchFull,
        Self::Quota,
        Self::SecurityGroup,
        Self::Elsewhere,
        Self::WrongState,
        Self::Credentials,
        Self::Other,
    ];

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unknown => "nobody knows whether the cloud has done it",
            Self::AddressTaken => "an address is somebody else's",
            Self::VSwitchFull => "the vSwitch has no address left",
            Self::Quota => "a quota of the cloud is used up",
            Self::SecurityGroup => "the security group is gone or full",
            Self::Elsewhere => "the instance or vSwitch is gone, or in another zone",
            Self::WrongState => "the ENI is in a state in which this cannot be done",
            Self::Credentials => "the cloud does not accept the credentials",
            Self::Other => "the cloud refused",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}
