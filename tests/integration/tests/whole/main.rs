//! Whole programs together: `berth-cni`, `berthctl` and the client against real `berthd` processes.

mod collector;
mod hand_over;
mod paging;
mod programs;
mod tls;
mod trace;
