//! A whole cluster in one deterministic process: shipped replicas, simulated network and disks, one seed.
//!
//! Two phases: in the safety phase everything goes wrong and nothing may be wrong; then the world is healed and the
//! cluster must make progress (R11). The machine and its workload are the caller's; the invariants R1 to R9 are here.

pub mod random;
pub mod plan;
pub mod workload;

pub mod world;
mod step;
mod node;
mod perform;
mod observed;

pub mod network;
pub mod checker;

pub mod counter;
