//! Whole programs together: `berth-cni`, `berthctl` and the client against real `berthd` processes.

mod collector;
mod paging;
mod programs;
mod tls;
mod trace;
