//! Drives raft-rs over any [`StateMachine`](state_machine::StateMachine).
//!
//! Knows nothing of addresses, gRPC, sled, actors or clocks: the replica is a sans-IO state machine
//! (inputs in, outputs out), and one driver loop does the IO for it. The simulator drives the same replica.
//! Read `OVERVIEW.md` beside this crate first.

pub mod log_store;
pub mod state_machine;
pub mod transport;

pub mod options;
pub mod status;

pub mod start;

pub mod replica;

pub mod driver;

pub mod memory;

#[cfg(feature = "testkit")]
pub mod simulated_disk;
#[cfg(feature = "testkit")]
pub mod simulation;
