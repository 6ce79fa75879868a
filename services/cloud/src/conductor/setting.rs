//! What a job's row does not say, because it is the node's and the vSwitch's.

use crate::eni::Tags;
use crate::id::{CloudVSwitchId, InstanceId, ResourceGroupId};

/// Where a job's calls go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The Berth cluster's id: part of tokens and tags.
    pub cluster: String,
    /// The node's instance.
    pub instance: InstanceId,
    /// The vSwitch as the cloud names it.
    pub vswitch: CloudVSwitchId,
    /// For new ENIs; none = the default one.
    pub resource_group: Option<ResourceGroupId>,
    /// New ENIs get these besides Berth's own.
    pub tags: Tags,
}
