//! The shape of the house, checked under `cargo test`: each check is a function from a tree of files to findings.
//!
//! Knows nothing of what the code does, and links nothing of ours. `tests/house.rs` runs every check on this
//! repository; beside each check stands a test that runs it on a made-up bad tree, to show that it would fail.

pub mod manifest;
pub mod tree;

pub mod arrows;
pub mod deploy;
pub mod doors;
pub mod heads;
pub mod layout;
pub mod lengths;
pub mod planted;
pub mod promises;
pub mod readme;
pub mod words;
