//! The administrator's command line: one file per command, under its noun's folder.
//!
//! Knows nothing of the ledger's rules, raft or disks: it asks over `berth.v1`, and shows the answer as a table for
//! people or as JSON for programs. The JSON documents are the structs of `view`; a field, once shown, keeps its name.

pub mod arguments;
pub mod moment;
pub mod session;

pub mod change;
pub mod freshness;
pub mod offline;

pub mod allocation;
pub mod capacity;
pub mod check;
pub mod claim;
pub mod cloud;
pub mod eni;
pub mod facts;
pub mod history;
pub mod job;
pub mod member;
pub mod node;
pub mod plan;
pub mod pool;
pub mod raft;
pub mod recover;
pub mod snapshot;
pub mod version;
pub mod vswitch;
pub mod whohas;

pub mod error;
pub mod output;
pub mod table;
pub mod view;
