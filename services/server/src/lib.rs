//! The replicated server: the only place where everything meets.
//!
//! Knows nothing of Kubernetes' API, CNI or the network's data path.
//! The modules stand in the order in which a request meets them; read `OVERVIEW.md` first.

pub mod cloud;
pub mod config;

pub mod serve;

pub mod grpc;

pub mod leader;

pub mod router;

pub mod node;

pub mod vswitch;

pub mod journal;

pub mod replica;

pub mod codec;

pub mod feed;

pub mod history;

pub mod facts;

pub mod backup;

pub mod offline;

pub mod peer;

pub mod metrics;

pub mod engine;

pub mod capacity;

pub mod failure;

pub mod out_of_range;

pub mod spans;

pub mod policy;

pub mod planted;

pub mod versions;
