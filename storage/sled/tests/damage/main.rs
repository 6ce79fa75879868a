//! Damaged, emptied, foreign and busy data directories: each is refused with its reason, none gives wrong data.

#![allow(clippy::unwrap_used)] // in a test an unwrap is the failure

mod directory;
mod flips;
mod forged;
