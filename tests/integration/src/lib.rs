//! Whole replicas, simulated and real: what their clients saw, and whether all of it can be true.
//!
//! Knows nothing of how they are made inside; `berth-testkit` starts them.

pub mod check;
pub mod record;
pub mod replay;

#[cfg(feature = "root-tests")]
pub mod ground;
#[cfg(feature = "root-tests")]
pub mod load;
#[cfg(feature = "root-tests")]
pub mod nemesis;
#[cfg(feature = "root-tests")]
pub mod power;
#[cfg(feature = "root-tests")]
pub mod run;
#[cfg(feature = "root-tests")]
pub mod soak;
