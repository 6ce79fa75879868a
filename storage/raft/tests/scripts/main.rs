//! Replicas driven by hand: every message, write and tick is one line of a script. For what is too rare for seeds.
//! Each script also runs with the defect that it is there for, and must then fail.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod elections;
mod hand;
mod joint;
mod reads;
mod snapshots;
