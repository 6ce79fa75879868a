//! Drives raft-rs over any [`StateMachine`].
//!
//! Knows nothing of addresses, gRPC, sled, actors or clocks: the replica is a sans-IO state machine
//! (`handle(input) -> outputs`), and one driver loop does the IO for it. The simulator drives the same replica.
//! Read `OVERVIEW.md` beside this crate first.

pub mod log_store;
pub mod state_machine;
pub mod transport;
