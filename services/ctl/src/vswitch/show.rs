//! `berthctl vswitch show`

use berth_proto::v1;
use clap::Args;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::output::Document;
use crate::session::Session;
use crate::view::vswitch::VSwitch;

/// One vSwitch, with its addresses counted in every state
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  berthctl vswitch show zone-a")]
pub struct Show {
    /// The vSwitch's name
    pub name: String,
    /// How fresh.
    #[command(flatten)]
    pub freshness: Freshness,
}

// === impl Show ===

impl Show {
    /// Asks for it.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let request = v1::GetVSwitchRequest {
            name: self.name,
            stale: self.freshness.stale,
        };
        let found = session.client().get_vswitch(request).await?;
        Ok(Box::new(VSwitch::from(found)))
    }
}
