//! Alibaba Cloud's wire: ECS 2014-05-26 and VPC 2016-04-28, RPC style. Pure: a call becomes parameters, an answer becomes a reply or
//! an error, and nothing but `client` knows a socket or a clock.
//!
//! A request meets the files in this order: `product` says which API an action is of, `encode` writes its `parameters`, `signature`
//! signs them; `decode` reads the answer by `documents`, and `codes` says what a refusal means. `client` is the shell around them,
//! with sockets and a clock.

pub mod parameters;
pub mod product;

pub mod encode;
pub use encode::{Request, encode};

pub mod signature;

mod documents;

pub mod decode;
pub use decode::{Answer, decode};

pub mod codes;

pub mod client;
