//! The shipped binary as a process: started, called over its sockets, stopped, killed and started again.

mod admin;
mod allocation;
mod bad_input;
mod facts;
mod harness;
mod life;
mod limits;
mod members;
mod metrics;
mod three;
mod tls;
