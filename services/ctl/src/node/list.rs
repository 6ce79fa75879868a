//! `berthctl node list`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::{PAGE_SIZE, Session};
use crate::view::List as Page;
use crate::view::node::Node;

/// All nodes, with their allocations and limits
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl node list -o json | jq '.items[].name'")]
pub struct List {
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl List ===

impl List {
    /// Fetches all pages.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let mut page: Page<Node> = Page::default();
        let mut page_token = String::new();
        loop {
            let request = v1::ListNodesRequest {
                page_size: PAGE_SIZE,
                page_token,
                stale: self.freshness.stale,
            };
            let response = session.client().list_nodes(request).await?;
            page.extend(response.nodes, response.revision);
            page_token = response.next_page_token;
            if page_token.is_empty() {
                return Ok(Box::new(page));
            }
        }
    }
}
