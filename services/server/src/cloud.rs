//! The CloudActor: one per term, on the leader. Conducts every job of the ledger within one budget of calls.
//!
//! Nodes' actors begin jobs; what a job needs of the cloud is called for and looked at here, and what came of it goes to the
//! ledger as reports. So a job goes on whether its node has an actor or is gone.

mod actor;
mod carrier;
pub mod compare;
mod looks;
mod message;
pub mod state;
mod troubles;

pub use actor::CloudActor;
pub use carrier::{Answering, Carrier, of_runtime};
pub use message::{Changed, End, LastAudit, Observe, Urgent};
pub use troubles::{Scope, Troubles};

use berth_cloud::Cloud;
use berth_cloud::budget::Limits;
use std::sync::Arc;

/// What a term's [`CloudActor`] is made with.
#[derive(Clone)]
pub struct Provision {
    /// Carries calls out.
    pub carrier: Carrier,
    /// How many the cloud takes.
    pub limits: Limits,
    /// False on a routed network: jobs that are there wait, and none is begun.
    pub makes_enis: bool,
}

// === impl Provision ===

impl Provision {
    /// Calls go to this one, on the tokio runtime that this is called in.
    pub fn of(cloud: Arc<dyn Cloud>, limits: Limits) -> Self {
        let makes_enis = cloud.makes_enis();
        Self {
            carrier: of_runtime(cloud),
            limits,
            makes_enis,
        }
    }
}

impl std::fmt::Debug for Provision {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Provision")
    }
}
