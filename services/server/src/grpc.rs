//! The door: gRPC for clients. Decodes, checks, says who calls and whether they may; decides nothing.
//!
//! Knows nothing of raft, sled or actors: behind it is [`crate::leader::Gate`] alone.

pub mod entry;
pub mod limits;

pub mod principal;

pub mod authorisation;

mod trace;

pub(crate) mod decode;
mod encode;

mod admin;
mod allocator;
mod checks;
mod event;
mod facts;
mod recovery;

pub mod status;

pub use admin::AdminService;
pub use allocator::AllocatorService;
pub use checks::ChecksService;
pub use facts::FactsService;
pub use recovery::RecoveryService;

pub(crate) use event::hex;

use principal::Caller;
use tonic::{Request, Status};

/// The caller, whom the entry has put into the request, and the message.
fn taken<T>(mut request: Request<T>) -> Result<(Caller, T), Status> {
    let caller = request.extensions_mut().remove::<Caller>();
    // Without the entry nobody was checked, so nobody is served.
    let caller =
        caller.ok_or_else(|| Status::internal("the call did not come through the entry"))?;
    Ok((caller, request.into_inner()))
}
