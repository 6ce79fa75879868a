//! By what a job's ENI is found again: tags, and the token of each call.

use super::Conductor;
use crate::eni::Tags;
use crate::token::ClientToken;
use berth_domain::row::Step;

/// Of which Berth cluster an ENI is. What does not have it is never changed.
pub const TAG_CLUSTER: &str = "berth-cluster";
/// Its number in the ledger.
pub const TAG_ENI: &str = "berth-eni";
/// The job that made it.
pub const TAG_JOB: &str = "berth-job";

/// What every ENI of a Berth cluster has.
pub fn tags_of_cluster(cluster: &str) -> Tags {
    Tags::from([(TAG_CLUSTER.to_owned(), cluster.to_owned())])
}

// === impl Conductor ===

impl Conductor {
    pub(super) fn tags(&self) -> Tags {
        let mut tags = tags_of_cluster(&self.setting.cluster);
        tags.extend(self.setting.tags.clone());
        tags.insert(TAG_ENI.into(), self.eni.number.to_string());
        tags.insert(TAG_JOB.into(), self.job.id.to_string());
        tags
    }

    /// The same for whoever goes on with the job.
    pub(super) fn token(&self) -> ClientToken {
        let place = Step::ALL.iter().position(|step| *step == self.job.step);
        let step = place.map_or(0, |place| place as u32 + 1); // twelve steps
        ClientToken::of_step(&self.setting.cluster, self.job.id.0, step, self.job.attempt)
    }
}
