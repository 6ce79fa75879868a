//! `berthctl eni list`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::{PAGE_SIZE, Session};
use crate::view::List as Page;
use crate::view::eni::Eni;

/// All ENIs that Berth has made, with the addresses on them
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  berthctl eni list\n  berthctl eni list --node worker-1 -o json"
)]
pub struct List {
    /// Only those of this node
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl List ===

impl List {
    /// Fetches all pages.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let mut page: Page<Eni> = Page::default();
        let mut page_token = String::new();
        let node = self.node.unwrap_or_default();
        loop {
            let request = v1::ListEnisRequest {
                node: node.clone(),
                page_size: PAGE_SIZE,
                page_token,
                stale: self.freshness.stale,
            };
            let response = session.client().list_enis(request).await?;
            page.extend(response.enis, response.revision);
            page_token = response.next_page_token;
            if page_token.is_empty() {
                return Ok(Box::new(page));
            }
        }
    }
}
