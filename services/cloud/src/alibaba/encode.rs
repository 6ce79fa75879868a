//! A call becomes a product, an action and parameters. Names and forms are those of the official SDK (`alibabacloud_ecs20140526`
//! 7.11.8, `alibabacloud_vpc20160428` 7.2.2); `tests/wire` is what that SDK itself writes.
//!
//! Addresses are named, always. There is no code here that could write `SecondaryPrivateIpAddressCount`, `Ipv6AddressCount` or a
//! prefix, so the cloud never picks an address that nobody decided.

mod change;
mod look;
#[cfg(test)]
mod tests;

use crate::alibaba::parameters::Parameters;
use crate::alibaba::product::Product;
use crate::call::Call;
use crate::error::{Cause, Error};
use crate::id::RegionId;

/// What goes out, unsigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// To which API.
    pub product: Product,
    /// The action's name, as the header `x-acs-action` has it.
    pub action: &'static str,
    /// The rest, in the URL's query. The body is empty.
    pub parameters: Parameters,
}

/// Why a call cannot be written.
type Refusal = String;

/// The request that a call is, in that region.
///
/// A call that names nothing where it must, or more than the API takes, is refused as [`Cause::Invalid`]: an unassign without
/// addresses, or a look at no instances, is not one at all of them.
pub fn encode(call: &Call, region: &RegionId) -> Result<Request, Error> {
    let action = call.action();
    let parameters =
        written(call, region).map_err(|why| Error::of(action.name(), Cause::Invalid, why))?;
    Ok(Request {
        product: Product::of(action),
        action: action.name(),
        parameters,
    })
}

fn written(call: &Call, region: &RegionId) -> Result<Parameters, Refusal> {
    let mut parameters = match call {
        Call::CreateNetworkInterface(create) => change::create(create)?,
        Call::AttachNetworkInterface(attachment) | Call::DetachNetworkInterface(attachment) => {
            change::attachment(attachment)
        }
        Call::DeleteNetworkInterface { eni } => change::one(eni),
        Call::AssignPrivateIpAddresses {
            eni,
            addresses,
            token,
        } => change::assign(eni, ("PrivateIpAddress", addresses), token)?,
        Call::UnassignPrivateIpAddresses { eni, addresses } => {
            change::addresses(eni, ("PrivateIpAddress", addresses))?
        }
        Call::AssignIpv6Addresses {
            eni,
            addresses,
            token,
        } => change::assign(eni, ("Ipv6Address", addresses), token)?,
        Call::UnassignIpv6Addresses { eni, addresses } => {
            change::addresses(eni, ("Ipv6Address", addresses))?
        }
        Call::DescribeNetworkInterfaces(describe) => look::enis(describe)?,
        Call::DescribeNetworkInterfaceAttribute { eni } => change::one(eni),
        // This one alone takes no region: the endpoint's is meant.
        Call::DescribeInstanceTypes { types, page } => {
            return look::instance_types(types, page.as_deref());
        }
        Call::DescribeInstances { instances } => look::instances(instances)?,
        Call::DescribeSecurityGroups { groups, vpc, page } => {
            look::security_groups(groups, vpc.as_ref(), page.as_deref())?
        }
        Call::DescribeAccountAttributes => look::account_attributes(),
        Call::DescribeVSwitches(describe) => look::vswitches(describe),
    };
    parameters.set("RegionId", region);
    Ok(parameters)
}

/// Refuses a list that is empty or too long.
fn some(what: &str, count: usize, most: usize) -> Result<(), Refusal> {
    match count {
        0 => Err(format!("no {what} is named")),
        _ => at_most(what, count, most),
    }
}

/// Refuses a list that is too long.
fn at_most(what: &str, count: usize, most: usize) -> Result<(), Refusal> {
    if count > most {
        return Err(format!("{count} × {what}, but a call takes {most}"));
    }
    Ok(())
}
