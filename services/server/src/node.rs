//! The NodeActor: one per node, on the leader. Its node's attachments in flight, their order and repeats,
//! its warm addresses and what it may still ask for.

mod actor;
pub mod choice;
mod granted;
pub mod message;
mod request;
mod room;
pub mod state;
mod supply;
mod warm;

#[cfg(test)]
mod tests;

pub use actor::{Changed, End, NodeActor, Request, Scheduled, Wake};
pub use message::{Allocate, Allocated, Collect, Collected, Release, Released, Yield};
pub(crate) use request::released;
pub use request::{Allocating, Caller, Collecting, Releasing};
