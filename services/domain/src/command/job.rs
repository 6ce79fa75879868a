//! Jobs of cloud calls: their begin, and what came of each step.

use crate::id::*;
use crate::row::{Cause, EniKind, Step};
use std::net::IpAddr;

/// See [`super::Command::BeginJob`]. Refused as `Taken` if an address is not what the plan needs it to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeginJob {
    /// For which node.
    pub node: NodeId,
    /// What is to be done.
    pub plan: Plan,
}

/// What is to be done. Every address is named: what the cloud would pick nobody has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// A new ENI with these addresses, which are free. The first is its primary one, an IPv4; at most ten of each family, as many
    /// IPv6 as IPv4 where the vSwitch has both.
    CreateEni {
        /// From which vSwitch; of the node's zone.
        vswitch: VSwitchId,
        /// What it is to be.
        kind: EniKind,
        /// One at least, ten at most.
        security_groups: Vec<SecurityGroup>,
        /// IPv4 first.
        addresses: Vec<IpAddr>,
    },
    /// These addresses, which are free, go onto an ENI that is in use; at most ten of each family.
    Assign {
        /// Onto which.
        eni: EniNumber,
        /// IPv4 first; as many IPv6 as IPv4 where the vSwitch has both.
        addresses: Vec<IpAddr>,
    },
    /// These addresses, which are idle on that ENI, leave it; at most ten of each family, not the primary one.
    Unassign {
        /// Which.
        eni: EniNumber,
        /// IPv4 first.
        addresses: Vec<IpAddr>,
    },
    /// An ENI on which everything is idle goes. A trunk only with `trunk_too`: pods may have ENIs of their own in it.
    DeleteEni {
        /// Which.
        eni: EniNumber,
        /// An administrator's word, or its node is drained.
        trunk_too: bool,
    },
}

/// See [`super::Command::AdvanceJob`]. Of another step or attempt than the job's it is refused and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvanceJob {
    /// Which.
    pub job: JobId,
    /// Of which step.
    pub step: Step,
    /// Of which attempt at it.
    pub attempt: u32,
    /// What came of it.
    pub report: Report,
}

/// What came of a step. What a look at the cloud shows counts as much as a call's own answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The ENI is made, with these addresses.
    Created {
        /// As the cloud names it.
        eni: EniId,
        /// Its hardware address.
        mac: MacAddress,
        /// Of the job's addresses, those that are on it; the primary one is.
        addresses: Vec<IpAddr>,
    },
    /// The cloud has taken the call; a look will show its effect.
    Accepted,
    /// The ENI is on its instance.
    Attached,
    /// Of the job's addresses of the step's family, these are on the ENI now, and the others are not.
    Assigned {
        /// Which.
        addresses: Vec<IpAddr>,
    },
    /// None of the job's addresses is on the ENI.
    Unassigned,
    /// The ENI is on nothing.
    Detached,
    /// The ENI is not there.
    Deleted,
    /// The call was certainly not done, nor was an earlier one of this step whose end was not known: of that a look was taken after
    /// the refusal. What it had brought is said with [`Report::Created`] or [`Report::Assigned`] instead.
    Refused {
        /// Why.
        cause: Cause,
        /// Of the job's addresses, those that are somebody else's.
        foreign: Vec<IpAddr>,
    },
    /// Nobody knows how a call of this step ended.
    Unknown,
}

/// See [`super::Command::NoteForeign`]. What is not free, or not foreign, is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteForeign {
    /// Whose addresses.
    pub vswitch: VSwitchId,
    /// Somebody else has them.
    pub come: Vec<IpAddr>,
    /// Nobody has them any more.
    pub gone: Vec<IpAddr>,
}

// === impl Report ===

impl Report {
    /// For people: "created".
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Accepted => "accepted",
            Self::Attached => "attached",
            Self::Assigned { .. } => "assigned",
            Self::Unassigned => "unassigned",
            Self::Detached => "detached",
            Self::Deleted => "deleted",
            Self::Refused { .. } => "refused",
            Self::Unknown => "unknown",
        }
    }
}
