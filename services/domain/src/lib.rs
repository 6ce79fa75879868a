//! Who holds which address, and why: the ledger, a pure deterministic state machine.
//!
//! Knows nothing of clocks, threads, disks, networks, raft, gRPC or Kubernetes. Commands go in,
//! outcomes and event groups come out; the same commands give the same bytes on every replica.
//! Read `OVERVIEW.md` beside this crate first.

pub mod address;
pub mod apply;
pub mod capacity;
pub mod choose;
pub mod command;
pub mod event;
pub mod id;
pub mod invariant;
pub mod ledger;
pub mod outcome;
pub mod plan;
pub mod planted;
pub mod repair;
pub mod row;
pub mod version;

pub use ledger::Ledger;
