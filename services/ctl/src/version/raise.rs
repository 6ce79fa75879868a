//! `berthctl version raise`

use berth_proto::v1;
use clap::Args;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::version::Raised;

/// Raise the cluster version now, without waiting for the hold-off; it never goes back
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl version raise --to 2 --reason 'upgrade is well'")]
pub struct Raise {
    /// The version; every member must be able to apply it
    #[arg(long, value_name = "VERSION")]
    pub to: u32,
    /// Why.
    #[command(flatten)]
    pub change: Change,
}

// === impl Raise ===

impl Raise {
    /// Asks the leader.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::SetClusterVersionRequest {
            change: Some(self.change.to_wire()),
            to: self.to,
        };
        let response = session.client().set_cluster_version(request).await?;
        Ok(Box::new(Raised {
            cluster_version: response.version,
            revision: response.revision,
        }))
    }
}
