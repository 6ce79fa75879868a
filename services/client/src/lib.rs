//! The typed client: endpoints, leader hints, deadlines, retries.
//!
//! Knows nothing of addresses, CNI or Kubernetes, and of a refusal only whether trying again can help. It is linked into
//! the CNI shim, which starts for every pod: nothing here opens a thread, reads a file that was not named, or connects
//! before the first call. Read `OVERVIEW.md` for how a call finds its answer.

mod options;
pub use options::{Options, TlsFiles};

mod client;
pub use client::Client;

mod methods;

mod call;
mod route;

mod error;
pub use error::{Attempt, Error};

mod facts;
pub use facts::{FactsSession, FactsSource};

mod random;
pub use random::request_id;

mod single;
pub use single::block_on;
