//! What is loaded: one request of either system, numbered, so that every one is another.

mod berth;
mod etcd;

pub(crate) use berth::{BerthAdd, container_id, request, uid};
pub(crate) use etcd::EtcdCreate;

use std::future::Future;

/// One kind of request.
pub(crate) trait Target: Clone + 'static {
    /// Does the `number`th. Err = why not, in few different words.
    fn perform(&self, number: u64) -> impl Future<Output = Result<(), String>>;
}
