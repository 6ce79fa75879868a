//! `berthctl allocation show`

use berth_proto::v1;
use clap::Args;

use super::list::all_pages;
use super::pod::PodName;
use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::{PAGE_SIZE, Session};

/// The allocations of one pod, in full
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl allocation show shop/db-0")]
pub struct Show {
    /// The pod, as NAMESPACE/NAME
    pub pod: PodName,
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl Show ===

impl Show {
    /// Asks for them; a pod without an address is refused, so that scripts notice.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::ListAllocationsRequest {
            namespace: self.pod.namespace.clone(),
            pod: self.pod.name.clone(),
            page_size: PAGE_SIZE,
            stale: self.freshness.stale,
            ..Default::default()
        };
        let mut page = all_pages(session, request).await?;
        if page.items.is_empty() {
            return Err(Error::NothingFound {
                what: format!("pod {} has no address", self.pod),
                next: format!("`berthctl allocation explain {}` says why", self.pod),
            });
        }
        page.in_full = true;
        Ok(Box::new(page))
    }
}
