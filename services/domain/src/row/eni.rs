//! An ENI of ours, from the intent to make it until the cloud has forgotten it.

use crate::id::*;
use std::net::IpAddr;

/// An elastic network interface that Berth has made, or is about to make. Others', and nodes' primary ones, have no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eni {
    /// Its number here.
    pub number: EniNumber,
    /// As the cloud names it; none until it is made.
    pub id: Option<EniId>,
    /// Its hardware address; none until it is made.
    pub mac: Option<MacAddress>,
    /// For which node. The node may have been removed since: then the ENI is leaving.
    pub node: NodeId,
    /// In which vSwitch.
    pub vswitch: VSwitchId,
    /// What it is.
    pub kind: EniKind,
    /// Its security groups, sorted.
    pub security_groups: Vec<SecurityGroup>,
    /// Its primary address, which the cloud never takes from it.
    pub primary: IpAddr,
    /// How far it is.
    pub state: EniState,
}

/// What an ENI is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EniKind {
    /// It carries addresses.
    Secondary,
    /// It carries addresses, and ENIs of its own for single pods.
    Trunk,
}

/// How far an ENI is. The job that works on it says the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EniState {
    /// It is to be made.
    Planned,
    /// It is made, and on nothing yet.
    Available,
    /// It is on its instance.
    InUse,
    /// It is to go: nothing comes onto it any more.
    Leaving,
}

// === impl EniKind ===

impl EniKind {
    /// Every one. The log numbers them as they stand here: new ones come last.
    pub const ALL: [Self; 2] = [Self::Secondary, Self::Trunk];

    /// For people: "secondary".
    pub fn name(self) -> &'static str {
        match self {
            Self::Secondary => "secondary",
            Self::Trunk => "trunk",
        }
    }
}

// === impl EniState ===

impl EniState {
    /// Every one. The log numbers them as they stand here: new ones come last.
    pub const ALL: [Self; 4] = [Self::Planned, Self::Available, Self::InUse, Self::Leaving];

    /// For people: "in use".
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Available => "available",
            Self::InUse => "in use",
            Self::Leaving => "leaving",
        }
    }
}
