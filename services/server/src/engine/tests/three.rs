//! Three replicas that talk through memory.
