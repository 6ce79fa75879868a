//! The ledger as raft's state machine: bytes in, answers and event groups out.

mod decoding;
mod machine;

pub use berth_raft::status::Status as ReplicaStatus;
pub(crate) use machine::restored;
pub use machine::{Effect, LedgerMachine, RestoreError, Restored};

/// A running replica of the ledger.
pub type Handle = berth_raft::driver::handle::Handle<LedgerMachine>;
