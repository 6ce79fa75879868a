//! `berthctl allocation explain`

use berth_proto::v1;
use clap::Args;

use super::pod::PodName;
use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::Session;
use crate::view::explanation::Explanation;

/// What is known of one pod: what it has, what it waits for, what to do
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl allocation explain shop/db-0")]
pub struct Explain {
    /// The pod, as NAMESPACE/NAME
    pub pod: PodName,
    /// The Kubernetes cluster, if this Berth serves several
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub cluster: String,
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl Explain ===

impl Explain {
    /// Asks the leader.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let title = self.pod.to_string();
        let request = v1::ExplainPodRequest {
            cluster: self.cluster,
            namespace: self.pod.namespace,
            pod: self.pod.name,
            stale: self.freshness.stale,
        };
        let response = session.client().explain_pod(request).await?;
        Ok(Box::new(Explanation::new(title, response)))
    }
}
