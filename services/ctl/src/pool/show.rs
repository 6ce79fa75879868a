//! `berthctl pool show`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::Session;
use crate::view::pool::Pool;

/// One pool, with what it has
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl pool show web")]
pub struct Show {
    /// The pool's name
    pub name: String,
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl Show ===

impl Show {
    /// Asks for it.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::GetNodePoolRequest {
            name: self.name,
            stale: self.freshness.stale,
        };
        let found = session.client().get_node_pool(request).await?;
        Ok(Box::new(Pool::from(found)))
    }
}
