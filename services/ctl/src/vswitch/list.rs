//! `berthctl vswitch list`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::{PAGE_SIZE, Session};
use crate::view::List as Page;
use crate::view::vswitch::VSwitch;

/// All vSwitches, one line per address family, with the addresses counted
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl vswitch list -o json | jq '.items[].name'")]
pub struct List {
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl List ===

impl List {
    /// Fetches all pages.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let mut page: Page<VSwitch> = Page::default();
        let mut page_token = String::new();
        loop {
            let request = v1::ListVSwitchesRequest {
                page_size: PAGE_SIZE,
                page_token,
                stale: self.freshness.stale,
            };
            let response = session.client().list_vswitches(request).await?;
            page.extend(response.vswitches, response.revision);
            page_token = response.next_page_token;
            if page_token.is_empty() {
                return Ok(Box::new(page));
            }
        }
    }
}
