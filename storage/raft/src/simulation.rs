//! A whole cluster in one deterministic process: shipped replicas, simulated network and disks, one seed.
//!
//! Two phases: in the safety phase everything goes wrong and nothing may be wrong; then the world is healed and the
//! cluster must make progress (R11). The machine and its workload are the caller's; the invariants R1 to R9 are here.

pub mod plan;
pub mod random;
pub mod workload;

mod node;
mod observed;
mod perform;
mod request;
pub mod served;
mod step;
pub mod world;

pub mod checker;
pub mod network;

pub mod counter;
mod finish;
