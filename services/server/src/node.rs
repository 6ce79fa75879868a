//! The NodeActor: one per node, on the leader. Its node's attachments in flight, their order and repeats,
//! its ENI slots and its warm addresses.

pub mod message;

pub use message::{Allocate, Allocated, Collect, Collected, Release, Released};
