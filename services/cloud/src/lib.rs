//! The cloud that ENIs and addresses come from: what can be asked of it, and what it answers.
//!
//! A [`Call`] is what a committed job step wants done; a [`Cloud`] does it. `conductor` says which call or look a job needs next, `budget`
//! when it may go out, `alibaba` turns calls into Alibaba Cloud's wire and back, `simulator` is the other end of the same wire.
//! Knows nothing of nodes' demand, raft or gRPC. Read `OVERVIEW.md` beside this crate first.

pub mod alibaba;
pub mod budget;
pub mod call;
pub mod conductor;
pub mod eni;
pub mod error;
pub mod id;
pub mod instance_type;
pub mod preflight;
pub mod provider;
pub mod reply;
pub mod routed;
pub mod simulator;
pub mod token;
pub mod vswitch;

pub use call::Call;
pub use error::Error;
pub use provider::{Cloud, Order};
pub use reply::Reply;
pub use routed::Routed;
