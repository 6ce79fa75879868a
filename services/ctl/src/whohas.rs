//! `berthctl whohas`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::moment::{self, Moment};
use crate::output::Document;
use crate::session::Session;
use crate::view::holder::Holder;

/// Who holds, or held at a moment, one address
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  berthctl whohas 10.0.3.7\n  berthctl whohas 10.0.3.7 --at 14:02:11"
)]
pub struct WhoHas {
    /// The address
    pub address: String,
    /// At this moment; without it, now
    #[arg(long, value_name = "TIME", value_parser = moment::parse_past)]
    pub at: Option<Moment>,
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl WhoHas ===

impl WhoHas {
    /// Asks the leader.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::WhoHasRequest {
            address: self.address,
            at_wall_ms: self.at.map_or(0, |moment| moment.0),
            stale: self.freshness.stale,
        };
        let response = session.client().who_has(request).await?;
        Ok(Box::new(Holder::new(response, self.at)))
    }
}
