//! `berthctl claim list`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::{PAGE_SIZE, Session};
use crate::view::List as Page;
use crate::view::claim::Claim;

/// All claims, or those of one namespace
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl claim list --namespace shop")]
pub struct List {
    /// Only this namespace
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
        let namespace = self.namespace.unwrap_or_default();
        let mut page: Page<Claim> = Page::default();
        let mut page_token = String::new();
        loop {
            let request = v1::ListClaimsRequest {
                namespace: namespace.clone(),
                page_size: PAGE_SIZE,
                page_token,
                stale: self.freshness.stale,
            };
            let response = session.client().list_claims(request).await?;
            page.extend(response.claims, response.revision);
            page_token = response.next_page_token;
            if page_token.is_empty() {
                return Ok(Box::new(page));
            }
        }
    }
}
