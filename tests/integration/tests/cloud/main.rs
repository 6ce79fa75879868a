//! Nodes in pools against the simulated cloud: a real server and the cloud's own wire between them.

mod bad_input;
mod calls;
mod differences;
mod ends;
mod modes;
mod pods;
mod pools;
mod routed;
mod vswitches;
mod world;
