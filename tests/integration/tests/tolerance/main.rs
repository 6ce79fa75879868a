//! Programs of neighbouring releases speak with each other: two minor releases apart in either direction.
//!
//! A release keeps what the wire of the two before it means (`wire`). What that does for programs is shown by standing between them:
//! a proxy shows each side the other as it would be if it were older, knowing only what the first release knew, or newer,
//! with fields that nobody knows yet (`shape`).

mod members;
mod programs;
mod proxy;
mod shape;
mod wire;
