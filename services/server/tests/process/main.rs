//! The shipped binary as a process: started, called over its sockets, stopped, killed and started again.

mod admin;
mod allocation;
mod bad_input;
mod behind;
mod facts;
mod harness;
mod life;
mod limits;
mod load;
mod members;
mod metrics;
mod reads;
mod resize;
mod three;
mod tls;
