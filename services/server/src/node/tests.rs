//! The NodeActor's state by hand: a ledger of its own decides what it proposes.

mod claims;
mod ends;
mod order;
mod world;
