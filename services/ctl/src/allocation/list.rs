//! `berthctl allocation list`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::{PAGE_SIZE, Session};
use crate::view::List as Page;
use crate::view::allocation::Allocation;

/// All allocations, or those of one node, vSwitch or namespace
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  berthctl allocation list --node worker-1\n  berthctl allocation list -n shop -o json"
)]
pub struct List {
    /// Only pods on this node
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// Only addresses of this vSwitch
    #[arg(long, value_name = "NAME")]
    pub vswitch: Option<String>,
    /// Only pods of this namespace
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl List ===

impl List {
    /// Fetches all pages.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::ListAllocationsRequest {
            node: self.node.unwrap_or_default(),
            vswitch: self.vswitch.unwrap_or_default(),
            namespace: self.namespace.unwrap_or_default(),
            page_size: PAGE_SIZE,
            stale: self.freshness.stale,
            ..Default::default()
        };
        Ok(Box::new(all_pages(session, request).await?))
    }
}

/// Every allocation that matches, however many pages they take.
pub async fn all_pages(
    session: &Session,
    mut request: v1::ListAllocationsRequest,
) -> Result<Page<Allocation>, Error> {
    let mut page: Page<Allocation> = Page::default();
    loop {
        let response = session.client().list_allocations(request.clone()).await?;
        page.extend(response.allocations, response.revision);
        request.page_token = response.next_page_token;
        if request.page_token.is_empty() {
            return Ok(page);
        }
    }
}
