//! The parameters of calls that change something.

use super::{Refusal, at_most, some};
use crate::alibaba::parameters::Parameters;
use crate::call::{ADDRESSES_PER_CALL, Attachment, CreateNetworkInterface};
use crate::eni::EniKind;
use crate::id::EniId;
use crate::token::ClientToken;
use std::fmt::Display;

/// Security groups of one ENI, at most (ECS, "Limits").
const SECURITY_GROUPS: usize = 10;
/// Tags that one call may name (`Tag.N`: 1 to 20).
pub(super) const TAGS: usize = 20;

pub(super) fn create(create: &CreateNetworkInterface) -> Result<Parameters, Refusal> {
    let (groups, all4) = (create.security_groups.len(), create.secondary.len() + 1);
    some("security group", groups, SECURITY_GROUPS)?;
    at_most("IPv4 address", all4, ADDRESSES_PER_CALL)?;
    at_most("IPv6 address", create.ipv6.len(), ADDRESSES_PER_CALL)?;
    at_most("tag", create.tags.len(), TAGS)?;
    let kind = match create.kind {
        EniKind::Secondary | EniKind::Trunk => create.kind.name(),
        // A member becomes one by being attached; the primary comes with its instance.
        EniKind::Primary | EniKind::Member | EniKind::Other => {
            return Err(format!("an ENI cannot be created as {:?}", create.kind));
        }
    };
    let mut parameters = Parameters::default();
    parameters.set("VSwitchId", &create.vswitch);
    parameters.set("InstanceType", kind);
    parameters.list("SecurityGroupIds", &create.security_groups);
    parameters.set_if_some("ResourceGroupId", create.resource_group.as_ref());
    parameters.set("PrimaryIpAddress", create.primary);
    parameters.list("PrivateIpAddress", &create.secondary);
    parameters.list("Ipv6Address", &create.ipv6);
    parameters.set("DeleteOnRelease", create.delete_on_release);
    let description = Some(&create.description).filter(|text| !text.is_empty());
    parameters.set_if_some("Description", description);
    parameters.tags(&create.tags);
    parameters.set("ClientToken", &create.token);
    Ok(parameters)
}

pub(super) fn attachment(attachment: &Attachment) -> Parameters {
    let mut parameters = one(&attachment.eni);
    parameters.set("InstanceId", &attachment.instance);
    // The API's own word: it is an ENI's id, though it says "instance".
    parameters.set_if_some("TrunkNetworkInstanceId", attachment.trunk.as_ref());
    parameters
}

pub(super) fn one(eni: &EniId) -> Parameters {
    let mut parameters = Parameters::default();
    parameters.set("NetworkInterfaceId", eni);
    parameters
}

pub(super) fn assign<A: Display>(
    eni: &EniId,
    list: (&str, &[A]),
    token: &ClientToken,
) -> Result<Parameters, Refusal> {
    let mut parameters = addresses(eni, list)?;
    parameters.set("ClientToken", token);
    Ok(parameters)
}

pub(super) fn addresses<A: Display>(
    eni: &EniId,
    (name, addresses): (&str, &[A]),
) -> Result<Parameters, Refusal> {
    some("address", addresses.len(), ADDRESSES_PER_CALL)?;
    let mut parameters = one(eni);
    parameters.list(name, addresses);
    Ok(parameters)
}
