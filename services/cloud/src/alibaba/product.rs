//! Which API an action is of.

use crate::call::Action;

/// The attribute of an account that says how many ENIs it may have (ECS `DescribeAccountAttributes`).
pub const ENI_QUOTA: &str = "max-elastic-network-interfaces";

/// An API with its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// Elastic Compute Service: ENIs, instances, security groups.
    Ecs,
    /// Virtual Private Cloud: vSwitches.
    Vpc,
    /// Security Token Service: credentials for a while.
    Sts,
}

// === impl Product ===

impl Product {
    /// Whose an action is.
    pub fn of(action: Action) -> Self {
        match action {
            Action::DescribeVSwitches => Self::Vpc,
            Action::CreateNetworkInterface
            | Action::AttachNetworkInterface
            | Action::DetachNetworkInterface
            | Action::DeleteNetworkInterface
            | Action::DescribeNetworkInterfaces
            | Action::DescribeNetworkInterfaceAttribute
            | Action::AssignPrivateIpAddresses
            | Action::UnassignPrivateIpAddresses
            | Action::AssignIpv6Addresses
            | Action::UnassignIpv6Addresses
            | Action::DescribeInstanceTypes
            | Action::DescribeInstances
            | Action::DescribeSecurityGroups
            | Action::DescribeAccountAttributes => Self::Ecs,
        }
    }

    /// As hosts' names have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ecs => "ecs",
            Self::Vpc => "vpc",
            Self::Sts => "sts",
        }
    }

    /// The version that is spoken here, as the header `x-acs-version` has it.
    pub fn version(self) -> &'static str {
        match self {
            Self::Ecs => "2014-05-26",
            Self::Vpc => "2016-04-28",
            Self::Sts => "2015-04-01",
        }
    }
}
