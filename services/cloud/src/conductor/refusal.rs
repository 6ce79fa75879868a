//! What an error of the cloud means for a job.

use crate::error::Cause;
use berth_domain::command::Report;
use berth_domain::row;
use std::net::IpAddr;

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing was done, and nothing is wrong with the call: it is made again later.
    Passing,
    /// Nobody knows.
    Unknown,
    /// Nothing was done, and the same call would be refused again.
    Refused(row::Cause),
}

pub(super) fn meaning(cause: Cause) -> Meaning {
    match cause {
        // Wrong credentials and clocks are an administrator's to mend; the job has nothing to give up for.
        Cause::NotSent
        | Cause::Throttled
        | Cause::Conflict
        | Cause::Forbidden
        | Cause::Credentials
        | Cause::Clock => Meaning::Passing,
        Cause::Unknown | Cause::Internal | Cause::NotTheCloud => Meaning::Unknown,
        Cause::AddressTaken => Meaning::Refused(row::Cause::AddressTaken),
        Cause::VSwitchFull | Cause::AddressQuota => Meaning::Refused(row::Cause::VSwitchFull),
        Cause::EniQuota | Cause::InstanceEniLimit | Cause::EniAddressLimit => {
            Meaning::Refused(row::Cause::Quota)
        }
        Cause::SecurityGroupLimit | Cause::NoSuchSecurityGroup => {
            Meaning::Refused(row::Cause::SecurityGroup)
        }
        Cause::NoSuchInstance | Cause::NoSuchVSwitch | Cause::Elsewhere => {
            Meaning::Refused(row::Cause::Elsewhere)
        }
        Cause::AddressNotThere | Cause::NoSuchEni | Cause::WrongState => {
            Meaning::Refused(row::Cause::WrongState)
        }
        Cause::TokenReused | Cause::AddressInvalid | Cause::Invalid | Cause::Other => {
            Meaning::Refused(row::Cause::Other)
        }
    }
}

pub(super) fn report(cause: row::Cause, foreign: Vec<IpAddr>) -> Report {
    Report::Refused { cause, foreign }
}
