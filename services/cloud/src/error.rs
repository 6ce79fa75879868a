//! Why a call did not succeed: a closed set of causes, so that what happens next is decided by the cause and not by a text.

use crate::id::CallId;
use std::fmt;

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{action}: {cause}{}", said(code, message, call))]
pub struct Error {
    /// The name of the action.
    pub action: &'static str,
    /// What it means.
    pub cause: Cause,
    /// The cloud's code; empty = the cloud said none.
    pub code: String,
    /// The cloud's words, or ours where it never answered.
    pub message: String,
    /// The cloud's id of the call.
    pub call: Option<CallId>,
}

/// What an error means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// It was not sent: the term or the deadline was over, or nobody could be reached.
    NotSent,
    /// It may have been done: the answer was lost, came too late, or was not readable.
    Unknown,
    /// Too many calls; not done.
    Throttled,
    /// The cloud failed inside; it may have been done.
    Internal,
    /// Something else is under way with the same thing; not done.
    Conflict,
    /// The token was seen with other parameters, or with a call that failed: only another token helps.
    TokenReused,
    /// The vSwitch has no address left.
    VSwitchFull,
    /// The vSwitch's, or the account's, quota of private addresses is used up.
    AddressQuota,
    /// The account's quota of ENIs is used up.
    EniQuota,
    /// The instance has as many ENIs as its type allows.
    InstanceEniLimit,
    /// The ENI has as many addresses as it can.
    EniAddressLimit,
    /// The security group has as many addresses as it can.
    SecurityGroupLimit,
    /// An address named in the call is somebody else's.
    AddressTaken,
    /// An address named in the call is outside the vSwitch, or the cloud's own.
    AddressInvalid,
    /// An address to be taken away is not on the ENI.
    AddressNotThere,
    /// There is no such ENI.
    NoSuchEni,
    /// There is no such instance.
    NoSuchInstance,
    /// There is no such vSwitch.
    NoSuchVSwitch,
    /// There is no such security group.
    NoSuchSecurityGroup,
    /// vSwitch, security group, instance and ENI are not of one zone or VPC.
    Elsewhere,
    /// The ENI, or the instance that it is on, is in a state in which this cannot be done.
    WrongState,
    /// The caller may not do this.
    Forbidden,
    /// The credentials are unknown, ended, or the signature does not fit.
    Credentials,
    /// The clock here is too far from the cloud's.
    Clock,
    /// What was asked cannot be.
    Invalid,
    /// What answers is not the cloud: HTML, or nothing that can be read.
    NotTheCloud,
    /// A code that is not known here; not done.
    Other,
}

// === impl Error ===

impl Error {
    /// An error that the cloud has no code for: it never answered, or not readably.
    pub fn of(action: &'static str, cause: Cause, message: impl Into<String>) -> Self {
        Self {
            action,
            cause,
            code: String::new(),
            message: message.into(),
            call: None,
        }
    }
}

// === impl Cause ===

impl Cause {
    /// Whether it is certain that nothing was done.
    pub fn is_certain(self) -> bool {
        !matches!(self, Self::Unknown | Self::Internal | Self::NotTheCloud)
    }

    /// Whether the same call may succeed later without anybody doing anything.
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            Self::NotSent | Self::Unknown | Self::Throttled | Self::Internal | Self::Conflict
        )
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotSent => "not sent",
            Self::Unknown => "nobody knows whether it was done",
            Self::Throttled => "the cloud takes no more calls at the moment",
            Self::Internal => "the cloud failed inside",
            Self::Conflict => "something else is under way with the same thing",
            Self::TokenReused => "the token was used with other parameters",
            Self::VSwitchFull => "the vSwitch has no address left",
            Self::AddressQuota => "the quota of private addresses is used up",
            Self::EniQuota => "the account's quota of ENIs is used up",
            Self::InstanceEniLimit => "the instance has as many ENIs as its type allows",
            Self::EniAddressLimit => "the ENI has as many addresses as its instance type allows",
            Self::SecurityGroupLimit => "the security group has as many addresses as it can",
            Self::AddressTaken => "an address is somebody else's",
            Self::AddressInvalid => "an address is not one that can be assigned there",
            Self::AddressNotThere => "an address is not on the ENI",
            Self::NoSuchEni => "there is no such ENI",
            Self::NoSuchInstance => "there is no such instance",
            Self::NoSuchVSwitch => "there is no such vSwitch",
            Self::NoSuchSecurityGroup => "there is no such security group",
            Self::Elsewhere => "not all of it is in one zone and VPC",
            Self::WrongState => {
                "the ENI or its instance is in a state in which this cannot be done"
            }
            Self::Forbidden => "the credentials have no right to it",
            Self::Credentials => "the credentials were not accepted",
            Self::Clock => "the clock here is too far from the cloud's",
            Self::Invalid => "the cloud takes the call for wrong",
            Self::NotTheCloud => "what answers there is not the cloud",
            Self::Other => "refused",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

fn said(code: &str, message: &str, call: &Option<CallId>) -> String {
    let mut words = String::new();
    if !code.is_empty() || !message.is_empty() {
        let between = if code.is_empty() || message.is_empty() {
            ""
        } else {
            ": "
        };
        words.push_str(&format!(" ({code}{between}{message})"));
    }
    if let Some(call) = call {
        words.push_str(&format!(" [{call}]"));
    }
    words
}
