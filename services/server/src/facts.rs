//! What Kubernetes says of pods and nodes, held in the leader's memory and never in the log.
//!
//! Knows nothing of who says it: the operator, a test and `berthctl facts report` are the same here.

mod list;
mod store;

#[cfg(test)]
mod tests;

pub use store::{Facts, Lookup, Observation, PodFact, STALE_AFTER_MS, Session};
