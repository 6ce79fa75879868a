//! Nothing but a home for `tests/`: whole replicas, simulated and real.
//!
//! Knows nothing of how they are made inside; `berth-testkit` starts them.
