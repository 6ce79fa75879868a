//! What tests share: real processes on free ports, the simulated world with the shipped ledger, short makers.
//!
//! Knows nothing of how the things it starts are made inside.

pub mod certificates;
pub mod make;
#[cfg(feature = "root-tests")]
pub mod namespace;
pub mod process;
#[cfg(feature = "root-tests")]
pub mod shell;
pub mod simulation;
