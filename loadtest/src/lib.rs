//! Pod churn and allocation load, with correctness counted in every run; and etcd's transactions beside it.
//!
//! Knows nothing of how Berth works inside: it calls what shims and operators call, keeps its own book of who holds which
//! address, and reads /proc of the processes it is told to watch.

pub mod scenario;

mod random;

mod setup;
mod target;

pub mod book;
mod load;
mod recorder;

mod churn;

pub mod audit;
mod processes;
pub use processes::Watched;
pub mod report;

pub mod fill;
pub mod hand_over;
pub mod plugins;
pub mod ready;

mod error;
pub use error::Error;

mod run;
pub use run::{Plan, System, run};

/// etcd's messages, generated; `tests/generated.rs` re-derives and compares them.
#[allow(missing_docs, clippy::all, clippy::unwrap_used)]
mod etcdserverpb {
    include!("gen/etcdserverpb.rs");
}
