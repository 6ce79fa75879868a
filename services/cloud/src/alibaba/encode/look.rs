//! The parameters of calls that only look.

use super::{Refusal, at_most, change, some};
use crate::alibaba::parameters::Parameters;
use crate::alibaba::product::ENI_QUOTA;
use crate::call::{DescribeNetworkInterfaces, DescribeVSwitches, ENIS_PER_CALL};
use crate::eni::{EniKind, EniStatus};
use crate::id::{InstanceId, InstanceTypeName, SecurityGroupId, VpcId};

/// ENIs on a page: the most that DescribeNetworkInterfaces gives.
const ENIS_ON_PAGE: usize = 500;
/// Instance types on a page: what every version of the API has given; the newest would give 1600.
const TYPES_ON_PAGE: usize = 100;
/// Instance types that one call may name.
const TYPES_PER_CALL: usize = 10;
/// Instances that one call may name, and the most on a page.
const INSTANCES_PER_CALL: usize = 100;
/// Security groups that one call may name, and the most on a page.
const GROUPS_PER_CALL: usize = 100;
/// vSwitches on a page: the most that DescribeVSwitches gives.
const VSWITCHES_ON_PAGE: u32 = 50;

pub(super) fn enis(describe: &DescribeNetworkInterfaces) -> Result<Parameters, Refusal> {
    at_most("ENI", describe.enis.len(), ENIS_PER_CALL)?;
    at_most("tag", describe.tags.len(), change::TAGS)?;
    if describe.kind == Some(EniKind::Other) || describe.status == Some(EniStatus::Other) {
        return Err("what is not known here cannot be asked for".to_owned());
    }
    let mut parameters = Parameters::default();
    parameters.list("NetworkInterfaceId", &describe.enis);
    parameters.set_if_some("VpcId", describe.vpc.as_ref());
    parameters.set_if_some("VSwitchId", describe.vswitch.as_ref());
    parameters.set_if_some("InstanceId", describe.instance.as_ref());
    parameters.set_if_some("Type", describe.kind.map(EniKind::name));
    parameters.set_if_some("Status", describe.status.map(EniStatus::name));
    parameters.tags(&describe.tags);
    page(&mut parameters, ENIS_ON_PAGE, describe.page.as_deref());
    Ok(parameters)
}

pub(super) fn instance_types(
    types: &[InstanceTypeName],
    next: Option<&str>,
) -> Result<Parameters, Refusal> {
    at_most("instance type", types.len(), TYPES_PER_CALL)?;
    let mut parameters = Parameters::default();
    parameters.list("InstanceTypes", types);
    page(&mut parameters, TYPES_ON_PAGE, next);
    Ok(parameters)
}

pub(super) fn instances(instances: &[InstanceId]) -> Result<Parameters, Refusal> {
    some("instance", instances.len(), INSTANCES_PER_CALL)?;
    let mut parameters = Parameters::default();
    parameters.json_list("InstanceIds", instances);
    // As many as can be named, so that one page is all.
    page(&mut parameters, INSTANCES_PER_CALL, None);
    Ok(parameters)
}

pub(super) fn security_groups(
    groups: &[SecurityGroupId],
    vpc: Option<&VpcId>,
    next: Option<&str>,
) -> Result<Parameters, Refusal> {
    at_most("security group", groups.len(), GROUPS_PER_CALL)?;
    let mut parameters = Parameters::default();
    parameters.json_list("SecurityGroupIds", groups);
    parameters.set_if_some("VpcId", vpc);
    page(&mut parameters, GROUPS_PER_CALL, next);
    Ok(parameters)
}

pub(super) fn vswitches(describe: &DescribeVSwitches) -> Parameters {
    let mut parameters = Parameters::default();
    parameters.set_if_some("VSwitchId", describe.vswitch.as_ref());
    parameters.set_if_some("VpcId", describe.vpc.as_ref());
    parameters.set_if_some("ZoneId", describe.zone.as_ref());
    // This API alone counts its pages.
    parameters.set("PageNumber", describe.page.max(1));
    parameters.set("PageSize", VSWITCHES_ON_PAGE);
    parameters
}

fn page(parameters: &mut Parameters, most: usize, next: Option<&str>) {
    parameters.set("MaxResults", most);
    parameters.set_if_some("NextToken", next);
}

/// How many ENIs there may be, and nothing else that the call could tell.
pub fn account_attributes() -> Parameters {
    let mut parameters = Parameters::default();
    parameters.list("AttributeName", [ENI_QUOTA]);
    parameters
}
