//! An elastic network interface as the cloud shows it.

use crate::id::*;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// An ENI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eni {
    /// Its id.
    pub id: EniId,
    /// Its hardware address, as the cloud writes it.
    pub mac: String,
    /// What it is.
    pub kind: EniKind,
    /// How far it is.
    pub status: EniStatus,
    /// Of which VPC.
    pub vpc: Option<VpcId>,
    /// In which vSwitch.
    pub vswitch: CloudVSwitchId,
    /// In which zone.
    pub zone: ZoneId,
    /// What it is on, or was last.
    pub attachment: Option<EniAttachment>,
    /// Its primary address.
    pub primary: Ipv4Addr,
    /// The others, without the primary, as the cloud lists them.
    pub secondary: Vec<Ipv4Addr>,
    /// Its IPv6 addresses.
    pub ipv6: Vec<Ipv6Addr>,
    /// Its security groups.
    pub security_groups: Vec<SecurityGroupId>,
    /// Its tags.
    pub tags: Tags,
    /// When it was made, s since 1970; none = the cloud did not say.
    pub created_at_s: Option<u64>,
}

/// What an ENI is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EniAttachment {
    /// Which instance.
    pub instance: InstanceId,
    /// The trunk that it is a member of.
    pub trunk: Option<EniId>,
    /// Of a member, its VLAN id in the trunk.
    pub vlan: Option<u16>,
}

/// What an ENI is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EniKind {
    /// The instance's own; never touched.
    Primary,
    /// Attached to an instance.
    Secondary,
    /// Attached to an instance, and carries members.
    Trunk,
    /// Attached to a trunk.
    Member,
    /// A kind that is not known here: its addresses count as taken, and it is never touched.
    Other,
}

/// How far an ENI is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EniStatus {
    /// Being made.
    Creating,
    /// On nothing.
    Available,
    /// On its way onto an instance.
    Attaching,
    /// On an instance.
    InUse,
    /// On its way off an instance.
    Detaching,
    /// On its way out.
    Deleting,
    /// A state that is not known here: its addresses count as taken, and it is never touched.
    Other,
}

// === impl EniKind ===

impl EniKind {
    /// As the wire has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "Primary",
            Self::Secondary => "Secondary",
            Self::Trunk => "Trunk",
            Self::Member => "Member",
            Self::Other => "Other",
        }
    }

    /// The kind of that name; `Other` has none.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Primary, Self::Secondary, Self::Trunk, Self::Member];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

// === impl EniStatus ===

impl EniStatus {
    /// Every one that has a name on the wire.
    pub const ALL: [Self; 6] = [
        Self::Creating,
        Self::Available,
        Self::Attaching,
        Self::InUse,
        Self::Detaching,
        Self::Deleting,
    ];

    /// As the wire has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Available => "Available",
            Self::Attaching => "Attaching",
            Self::InUse => "InUse",
            Self::Detaching => "Detaching",
            Self::Deleting => "Deleting",
            Self::Other => "Other",
        }
    }

    /// The state of that name; `Other` has none.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}
