//! Everything that is asked of the cloud. Each call names its addresses: what the cloud would pick by itself nobody has decided.

use crate::eni::{EniKind, EniStatus, Tags};
use crate::id::*;
use crate::token::ClientToken;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Addresses that one call may name: the cloud's limit for IPv6 and for an ENI that is not attached; ours for all.
pub const ADDRESSES_PER_CALL: usize = 10;
/// ENIs that one describing call may name.
pub const ENIS_PER_CALL: usize = 100;

/// One call. The region is the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A new ENI, attached to nothing.
    CreateNetworkInterface(CreateNetworkInterface),
    /// An ENI goes onto an instance, or into a trunk of it. Asynchronous: it is `Attaching` first.
    AttachNetworkInterface(Attachment),
    /// An ENI leaves an instance. Asynchronous: it is `Detaching` first.
    DetachNetworkInterface(Attachment),
    /// An ENI that is attached to nothing ends. Asynchronous.
    DeleteNetworkInterface {
        /// Which.
        eni: EniId,
    },
    /// Lists ENIs, one page.
    DescribeNetworkInterfaces(DescribeNetworkInterfaces),
    /// One ENI's state: the cheap look while something is under way.
    DescribeNetworkInterfaceAttribute {
        /// Which.
        eni: EniId,
    },
    /// Secondary IPv4 addresses go onto an ENI.
    AssignPrivateIpAddresses {
        /// Onto which.
        eni: EniId,
        /// At most [`ADDRESSES_PER_CALL`].
        addresses: Vec<Ipv4Addr>,
        /// The same call again is the same token.
        token: ClientToken,
    },
    /// Secondary IPv4 addresses leave an ENI.
    UnassignPrivateIpAddresses {
        /// Which.
        eni: EniId,
        /// At most [`ADDRESSES_PER_CALL`].
        addresses: Vec<Ipv4Addr>,
    },
    /// IPv6 addresses go onto an ENI.
    AssignIpv6Addresses {
        /// Onto which.
        eni: EniId,
        /// At most [`ADDRESSES_PER_CALL`].
        addresses: Vec<Ipv6Addr>,
        /// The same call again is the same token.
        token: ClientToken,
    },
    /// IPv6 addresses leave an ENI.
    UnassignIpv6Addresses {
        /// Which.
        eni: EniId,
        /// At most [`ADDRESSES_PER_CALL`].
        addresses: Vec<Ipv6Addr>,
    },
    /// What instance types have room for, one page.
    DescribeInstanceTypes {
        /// At most 10; none = all.
        types: Vec<InstanceTypeName>,
        /// As the page before said; none = the first.
        page: Option<String>,
    },
    /// Instances: their type, zone and state.
    DescribeInstances {
        /// At most 100.
        instances: Vec<InstanceId>,
    },
    /// Security groups, one page: whether they are there, and of which VPC.
    DescribeSecurityGroups {
        /// At most 100; none = all of the VPC.
        groups: Vec<SecurityGroupId>,
        /// Of which VPC; none = any.
        vpc: Option<VpcId>,
        /// As the page before said; none = the first.
        page: Option<String>,
    },
    /// The account's quotas in the region.
    DescribeAccountAttributes,
    /// vSwitches, one page: their CIDRs, zone, and how many addresses are left.
    DescribeVSwitches(DescribeVSwitches),
}

/// See [`Call::CreateNetworkInterface`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateNetworkInterface {
    /// In which vSwitch.
    pub vswitch: CloudVSwitchId,
    /// Secondary or trunk.
    pub kind: EniKind,
    /// At least one, at most 10.
    pub security_groups: Vec<SecurityGroupId>,
    /// None = the default one.
    pub resource_group: Option<ResourceGroupId>,
    /// Its primary address.
    pub primary: Ipv4Addr,
    /// Further IPv4 addresses, without the primary; at most nine.
    pub secondary: Vec<Ipv4Addr>,
    /// At most [`ADDRESSES_PER_CALL`].
    pub ipv6: Vec<Ipv6Addr>,
    /// Whether it ends with the instance that it is attached to.
    pub delete_on_release: bool,
    /// For people who look at it in the cloud's console.
    pub description: String,
    /// By which it is found again: cluster, creator, job.
    pub tags: Tags,
    /// The same call again is the same token.
    pub token: ClientToken,
}

/// See [`Call::AttachNetworkInterface`] and [`Call::DetachNetworkInterface`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Which ENI.
    pub eni: EniId,
    /// Of which instance.
    pub instance: InstanceId,
    /// The trunk that it is a member of; none = it is the instance's own.
    pub trunk: Option<EniId>,
}

/// See [`Call::DescribeNetworkInterfaces`]. All that is said must be true of an ENI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeNetworkInterfaces {
    /// These; at most [`ENIS_PER_CALL`]; none = any.
    pub enis: Vec<EniId>,
    /// Of this VPC.
    pub vpc: Option<VpcId>,
    /// In this vSwitch.
    pub vswitch: Option<CloudVSwitchId>,
    /// On this instance.
    pub instance: Option<InstanceId>,
    /// Of this kind.
    pub kind: Option<EniKind>,
    /// In this state.
    pub status: Option<EniStatus>,
    /// With all of these tags.
    pub tags: Tags,
    /// As the page before said; none = the first.
    pub page: Option<String>,
}

/// See [`Call::DescribeVSwitches`]. All that is said must be true of a vSwitch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeVSwitches {
    /// This one.
    pub vswitch: Option<CloudVSwitchId>,
    /// Of this VPC.
    pub vpc: Option<VpcId>,
    /// In this zone.
    pub zone: Option<ZoneId>,
    /// Counted from 1; 0 = the first.
    pub page: u32,
}

/// The name of a call, as budgets, metrics and the wire have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// See [`Call::CreateNetworkInterface`].
    CreateNetworkInterface,
    /// See [`Call::AttachNetworkInterface`].
    AttachNetworkInterface,
    /// See [`Call::DetachNetworkInterface`].
    DetachNetworkInterface,
    /// See [`Call::DeleteNetworkInterface`].
    DeleteNetworkInterface,
    /// See [`Call::DescribeNetworkInterfaces`].
    DescribeNetworkInterfaces,
    /// See [`Call::DescribeNetworkInterfaceAttribute`].
    DescribeNetworkInterfaceAttribute,
    /// See [`Call::AssignPrivateIpAddresses`].
    AssignPrivateIpAddresses,
    /// See [`Call::UnassignPrivateIpAddresses`].
    UnassignPrivateIpAddresses,
    /// See [`Call::AssignIpv6Addresses`].
    AssignIpv6Addresses,
    /// See [`Call::UnassignIpv6Addresses`].
    UnassignIpv6Addresses,
    /// See [`Call::DescribeInstanceTypes`].
    DescribeInstanceTypes,
    /// See [`Call::DescribeInstances`].
    DescribeInstances,
    /// See [`Call::DescribeSecurityGroups`].
    DescribeSecurityGroups,
    /// See [`Call::DescribeAccountAttributes`].
    DescribeAccountAttributes,
    /// See [`Call::DescribeVSwitches`].
    DescribeVSwitches,
}

// === impl Call ===

impl Call {
    /// Its name.
    pub fn action(&self) -> Action {
        match self {
            Self::CreateNetworkInterface(_) => Action::CreateNetworkInterface,
            Self::AttachNetworkInterface(_) => Action::AttachNetworkInterface,
            Self::DetachNetworkInterface(_) => Action::DetachNetworkInterface,
            Self::DeleteNetworkInterface { .. } => Action::DeleteNetworkInterface,
            Self::DescribeNetworkInterfaces(_) => Action::DescribeNetworkInterfaces,
            Self::DescribeNetworkInterfaceAttribute { .. } => {
                Action::DescribeNetworkInterfaceAttribute
            }
            Self::AssignPrivateIpAddresses { .. } => Action::AssignPrivateIpAddresses,
            Self::UnassignPrivateIpAddresses { .. } => Action::UnassignPrivateIpAddresses,
            Self::AssignIpv6Addresses { .. } => Action::AssignIpv6Addresses,
            Self::UnassignIpv6Addresses { .. } => Action::UnassignIpv6Addresses,
            Self::DescribeInstanceTypes { .. } => Action::DescribeInstanceTypes,
            Self::DescribeInstances { .. } => Action::DescribeInstances,
            Self::DescribeSecurityGroups { .. } => Action::DescribeSecurityGroups,
            Self::DescribeAccountAttributes => Action::DescribeAccountAttributes,
            Self::DescribeVSwitches(_) => Action::DescribeVSwitches,
        }
    }
}

// === impl Action ===

impl Action {
    /// Every one, as the calls stand.
    pub const ALL: [Self; 15] = [
        Self::CreateNetworkInterface,
        Self::AttachNetworkInterface,
        Self::DetachNetworkInterface,
        Self::DeleteNetworkInterface,
        Self::DescribeNetworkInterfaces,
        Self::DescribeNetworkInterfaceAttribute,
        Self::AssignPrivateIpAddresses,
        Self::UnassignPrivateIpAddresses,
        Self::AssignIpv6Addresses,
        Self::UnassignIpv6Addresses,
        Self::DescribeInstanceTypes,
        Self::DescribeInstances,
        Self::DescribeSecurityGroups,
        Self::DescribeAccountAttributes,
        Self::DescribeVSwitches,
    ];

    /// As the wire has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateNetworkInterface => "CreateNetworkInterface",
            Self::AttachNetworkInterface => "AttachNetworkInterface",
            Self::DetachNetworkInterface => "DetachNetworkInterface",
            Self::DeleteNetworkInterface => "DeleteNetworkInterface",
            Self::DescribeNetworkInterfaces => "DescribeNetworkInterfaces",
            Self::DescribeNetworkInterfaceAttribute => "DescribeNetworkInterfaceAttribute",
            Self::AssignPrivateIpAddresses => "AssignPrivateIpAddresses",
            Self::UnassignPrivateIpAddresses => "UnassignPrivateIpAddresses",
            Self::AssignIpv6Addresses => "AssignIpv6Addresses",
            Self::UnassignIpv6Addresses => "UnassignIpv6Addresses",
            Self::DescribeInstanceTypes => "DescribeInstanceTypes",
            Self::DescribeInstances => "DescribeInstances",
            Self::DescribeSecurityGroups => "DescribeSecurityGroups",
            Self::DescribeAccountAttributes => "DescribeAccountAttributes",
            Self::DescribeVSwitches => "DescribeVSwitches",
        }
    }

    /// The action of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Whether it changes nothing.
    pub fn only_looks(self) -> bool {
        self.name().starts_with("Describe")
    }

    /// Whether it takes something from a running pod if it comes at the wrong time: nobody may guess how it ended.
    pub fn destroys(self) -> bool {
        matches!(
            self,
            Self::DetachNetworkInterface
                | Self::DeleteNetworkInterface
                | Self::UnassignPrivateIpAddresses
                | Self::UnassignIpv6Addresses
        )
    }
}
