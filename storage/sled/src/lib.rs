//! What a replica keeps on its disk: the raft log, snapshots and the history, on sled.
//!
//! Knows nothing of addresses, raft's rules, events or their meaning: log entries, snapshot chunks, history bodies and
//! posting keys are bytes here. Knows no clock, no network and no async; every call blocks its thread.
//! The only crate that says sled. Read `OVERVIEW.md` beside this crate first.

pub mod background;
mod checksum;
mod database;
pub mod directory;
mod encoding;
mod error;
pub mod history;
pub mod log;
mod upgrade;

pub use self::log::SledLog;
pub use database::DatabaseOptions;
pub use directory::Directory;
pub use error::Error;
