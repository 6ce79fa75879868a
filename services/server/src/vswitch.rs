//! The VSwitchActor: one per vSwitch, on the leader. Its CIDR's free addresses: who has been promised which,
//! and where more come from when there are none.

mod actor;
pub mod message;
pub mod state;

#[cfg(test)]
mod tests;

pub use actor::{End, VSwitchActor};
