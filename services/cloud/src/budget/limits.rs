//! How many calls the cloud takes.

use crate::call::Action;
use std::collections::BTreeMap;

/// Calls a minute, by action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    per_minute: BTreeMap<Action, u32>,
    others: u32,
}

// === impl Limits ===

impl Limits {
    /// These, and so many of every other one. 0 counts as 1: a cloud that takes nothing is no cloud.
    pub fn new(per_minute: BTreeMap<Action, u32>, others: u32) -> Self {
        Self { per_minute, others }
    }

    /// Calls of this action a minute, at least 1.
    pub fn of(&self, action: Action) -> u32 {
        let named = self.per_minute.get(&action).copied();
        named.unwrap_or(self.others).max(1)
    }
}

impl Default for Limits {
    /// Terway's (`ratelimit.go`): an account's defaults on Alibaba Cloud.
    fn default() -> Self {
        let named = [
            (Action::DescribeNetworkInterfaces, 800),
            (Action::DescribeNetworkInterfaceAttribute, 2000),
            (Action::DetachNetworkInterface, 400),
            (Action::AssignPrivateIpAddresses, 400),
            (Action::UnassignPrivateIpAddresses, 400),
            (Action::AssignIpv6Addresses, 400),
            (Action::UnassignIpv6Addresses, 400),
            (Action::DescribeInstanceTypes, 400),
            (Action::DescribeVSwitches, 300),
        ];
        Self::new(named.into(), 500)
    }
}
