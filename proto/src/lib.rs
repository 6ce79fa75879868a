//! The wire: messages and services generated from the `.proto` files beside this crate, and nothing else.
//!
//! Knows nothing of what the messages mean. The Rust is committed; `tests/generated.rs` re-derives and compares it.

#![allow(missing_docs, clippy::all, clippy::unwrap_used)]

/// What clients call: the allocator, the facts, the administrator's calls, and the nouns they share.
pub mod v1 {
    include!("gen/berth.v1.rs");
}

/// Between replicas.
pub mod peer {
    /// Version 1.
    pub mod v1 {
        include!("gen/berth.peer.v1.rs");
    }
}

/// What is replicated and stored; readable for ever.
pub mod log {
    /// Version 1.
    pub mod v1 {
        include!("gen/berth.log.v1.rs");
    }
}

/// All descriptors, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("gen/descriptors.bin");
