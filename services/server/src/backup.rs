//! A backup's file: made of a running replica's ledger and history, and read back without trusting it.
//!
//! Knows nothing of where the file lies on its maker's side, and of what is done with one that was read.

mod contents;
mod error;
mod frame;
mod maker;
mod reader;

pub use contents::{Contents, FamilySummary, NodeSummary, VSwitchSummary, moment, vswitches};
pub use error::Error;
pub use maker::{Frames, Source, frames};
pub use reader::{Backup, History, read, verify};
