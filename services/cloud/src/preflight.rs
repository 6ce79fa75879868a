//! What Berth will find in an account before it changes anything there: which looks are allowed, which zones and vSwitches there
//! are, and what is missing. Makes Describe calls alone; whether changes are allowed only a change can show.

mod findings;
mod looks;
#[cfg(test)]
mod tests;

use crate::call::Action;
use crate::error::Error;
use crate::id::{CloudVSwitchId, InstanceId, SecurityGroupId};
use crate::instance_type::InstanceTypeFacts;
use crate::provider::Cloud;
use crate::vswitch::{CloudVSwitch, Instance, SecurityGroup};

/// What Berth shall use there. Instances and groups are at most 100 each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Machines that will be nodes.
    pub instances: Vec<InstanceId>,
    /// Of pods; none = all of the instances' VPCs.
    pub vswitches: Vec<CloudVSwitchId>,
    /// Of pods' ENIs.
    pub security_groups: Vec<SecurityGroupId>,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Each look that was made and how it ended; those that had nothing to look at are left out.
    pub rights: Vec<(Action, Result<(), Error>)>,
    /// Of those asked for, those that are there.
    pub instances: Vec<Instance>,
    /// Of the instances' types.
    pub types: Vec<InstanceTypeFacts>,
    /// Of those asked for, those that are there.
    pub vswitches: Vec<CloudVSwitch>,
    /// Of those asked for, those that are there.
    pub security_groups: Vec<SecurityGroup>,
    /// ENIs in the VPCs that were seen, whoever's, primary ones not counted.
    pub enis: usize,
    /// How many of those the account may have in the region; none = it could not be seen.
    pub eni_quota: Option<u64>,
}

/// Something that stands in the way, or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether Berth cannot work so; else it is advice.
    pub is_missing: bool,
    /// What, with the names of both sides, and what to do.
    pub message: String,
}

/// Looks at everything that the question names. Ends early at nothing: what cannot be seen is a right that is missing.
pub async fn look(cloud: &dyn Cloud, question: &Question) -> Seen {
    looks::look(cloud, question).await
}

// === impl Seen ===

impl Seen {
    /// What stands in the way of what was asked; what is missing first.
    pub fn findings(&self, question: &Question) -> Vec<Finding> {
        findings::findings(self, question)
    }

    /// Actions whose right cannot be seen without using it.
    pub fn untried() -> impl Iterator<Item = Action> {
        Action::ALL
            .into_iter()
            .filter(|action| !action.only_looks())
    }
}
