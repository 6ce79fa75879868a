//! Who carries calls out.

use crate::call::Call;
use crate::error::Error;
use crate::reply::Reply;
use futures::future::BoxFuture;
use std::sync::Arc;

/// A call with its right to be made.
#[derive(Clone)]
pub struct Order {
    /// What to do.
    pub call: Call,
    /// Asked at the last moment before the first byte goes out; false = it is not sent (design §8: checked against term and
    /// deadline at the socket write).
    pub still_wanted: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// Carries calls out.
///
/// A future that is dropped leaves the call's end unknown.
pub trait Cloud: Send + Sync {
    /// Carries one call out. Ends by itself, at the latest at the provider's own time limit.
    fn call(&self, order: Order) -> BoxFuture<'static, Result<Reply, Error>>;

    /// Whether there are ENIs with it at all; if not, no job is begun for it.
    fn makes_enis(&self) -> bool {
        true
    }
}

// === impl Order ===

impl Order {
    /// A call that is wanted whatever happens: a look, or a test's.
    pub fn always(call: Call) -> Self {
        Self {
            call,
            still_wanted: Arc::new(|| true),
        }
    }
}
