//! What the cloud answers when a call succeeded.

use crate::eni::Eni;
use crate::id::CallId;
use crate::instance_type::InstanceTypeFacts;
use crate::vswitch::{CloudVSwitch, Instance, SecurityGroup};
use std::net::{Ipv4Addr, Ipv6Addr};

/// An answer with the cloud's id of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// None = the cloud named none.
    pub call: Option<CallId>,
    /// What it says.
    pub body: Body,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Begun or done; only a look tells which.
    Accepted,
    /// The new ENI.
    Created(Box<Eni>),
    /// One ENI.
    Eni(Box<Eni>),
    /// What is on the ENI now by this call. Fewer than asked for is possible.
    Assigned4(Vec<Ipv4Addr>),
    /// What is on the ENI now by this call. Fewer than asked for is possible.
    Assigned6(Vec<Ipv6Addr>),
    /// A page of ENIs.
    Enis(Page<Eni>),
    /// A page of instance types.
    InstanceTypes(Page<InstanceTypeFacts>),
    /// Those that are there, of those asked for.
    Instances(Vec<Instance>),
    /// A page of security groups.
    SecurityGroups(Page<SecurityGroup>),
    /// How many ENIs the account may have in the region, primary ones not counted.
    EniQuota(u64),
    /// A page of vSwitches; `next` is the next page's number.
    VSwitches(Page<CloudVSwitch>),
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What to ask for the next one with; none = this is the last.
    pub next: Option<String>,
}
