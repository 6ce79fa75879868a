//! Nodes in pools against the simulated cloud: a real server and the cloud's own wire between them.

mod pods;
mod world;
