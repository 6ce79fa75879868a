//! `berthctl version show`

use clap::Args;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::version::Versions;

/// The cluster version, what each member's program can apply, and what the next version waits for
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl version show -o json | jq .cluster_version")]
pub struct Show {}

// === impl Show ===

impl Show {
    /// Asks any replica who leads, then the leader: only it knows what a higher version waits for.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let first = session.client().cluster_status(Default::default()).await?;
        let leader = first
            .members
            .iter()
            .find(|member| member.id == first.leader_id);
        let elsewhere = leader.filter(|_| first.leader_id != first.member_id);
        let endpoint = elsewhere.map(|member| member.client_endpoint.clone());
        let view = match endpoint.filter(|endpoint| !endpoint.is_empty()) {
            None => first,
            // A leader that cannot be reached from here: what the other knows is better than nothing.
            Some(endpoint) => session.cluster_status_of(&endpoint).await.unwrap_or(first),
        };
        Ok(Box::new(Versions::from(view)))
    }
}
