//! How the CNI plugin is tested: spoken to as a runtime speaks to it, under real main plugins, under a real runtime.
//!
//! Everything runs against real `berthd` and `berth-cni` processes. What needs root stands behind `root-tests`.

pub mod admin;

pub mod plugin;

pub mod conversation;

pub mod matching;

#[cfg(feature = "root-tests")]
pub mod chain;

#[cfg(feature = "root-tests")]
pub mod runtime;
