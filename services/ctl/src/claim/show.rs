//! `berthctl claim show`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::Session;
use crate::view::claim::Claim;

/// One claim: its addresses, who has them now, and when they are released
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl claim show default/shop/db-0")]
pub struct Show {
    /// The claim's name, [CLUSTER/]NAMESPACE/POD
    #[arg(value_parser = super::name::parse)]
    pub name: String,
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl Show ===

impl Show {
    /// Asks for it.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::GetClaimRequest {
            name: self.name,
            stale: self.freshness.stale,
        };
        let found = session.client().get_claim(request).await?;
        Ok(Box::new(Claim::from(found)))
    }
}
