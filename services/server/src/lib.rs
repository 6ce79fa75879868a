//! The replicated server: the only place where everything meets.
//!
//! Knows nothing of Kubernetes' API, CNI or the network's data path.
//! The modules stand in the order in which a request meets them; read `OVERVIEW.md` first.

pub mod config;

pub mod capacity;
pub mod facts;
pub mod failure;
pub mod grpc;
pub mod history;
pub mod leader;
pub mod node;
pub mod peer;
pub mod policy;
