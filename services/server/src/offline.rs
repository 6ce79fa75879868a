//! What is done to data directories while no server runs on them: a cluster begun anew out of a backup, or out of one
//! member's directory when the quorum is lost.
//!
//! Knows nothing of listeners, actors or a running replica. It is here and not in `berthctl`, because it writes raft's log, the
//! history and the ledger, and this crate is the only one that may join these; `berthctl snapshot` and `berthctl recover` run
//! this program for it. A source is only read; what is made is made in an empty directory, and counts when it is whole.

mod command;

mod restore;

mod force;

mod begin;

mod plan;

mod error;

pub use begin::{Anew, Begun, Order, anew};
pub use command::Offline;
pub use error::Error;
pub use force::{Survivor, Wish, force, force_plan, survivor};
pub use plan::{Plan, Waiting};
pub use restore::{restore, restore_plan};
