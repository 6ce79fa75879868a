//! `berthctl pool list`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::Session;
use crate::view::List as Page;
use crate::view::pool::Pool;

/// All pools, with their nodes counted
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl pool list -o json | jq '.items[].name'")]
pub struct List {
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl List ===

impl List {
    /// Asks for them.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let stale = self.freshness.stale;
        let request = v1::ListNodePoolsRequest { stale };
        let response = session.client().list_node_pools(request).await?;
        let mut page: Page<Pool> = Page::default();
        page.extend(response.pools, response.revision);
        Ok(Box::new(page))
    }
}
