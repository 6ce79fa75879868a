//! The shipped replica, ledger, actors and journal of one to five members in one process and one thread, under seeds of
//! trouble. What must hold is checked from outside, by code that shares nothing with the ledger.
//!
//! Knows nothing of gRPC, sled or real time: it stands where the door would stand, above the gate. Read `OVERVIEW.md`.

pub mod plan;

pub mod run;

pub mod swarm;

pub mod planted;

pub mod table;

mod panics;

mod cluster;

mod server;

mod history;

mod facts;

mod fleet;

mod admin;

mod desk;

mod wire;

mod call;

mod cloud;

mod answer;

mod oracle;

mod make;
