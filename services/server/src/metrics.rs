//! What a scrape of /metrics shows: calls, refusals, every address state, raft's numbers, broken rules.
//!
//! Counters grow where things happen; gauges are read from this replica's state at the moment of the scrape.

mod calls;
mod gauges;
mod http;

pub use calls::Calls;
pub use gauges::Gauges;
pub use http::serve;
