//! How calls leave the actors' thread and come back.

use berth_cloud::{Cloud, Error, Order, Reply};
use std::sync::Arc;

/// Told once how a call ended.
pub type Answering = Box<dyn FnOnce(Result<Reply, Error>) + Send>;

/// Carries a call out, and tells how it ended. Returns at once.
pub type Carrier = Arc<dyn Fn(Order, Answering) + Send + Sync>;

/// On the tokio runtime that this is called in.
pub fn of_runtime(cloud: Arc<dyn Cloud>) -> Carrier {
    let runtime = tokio::runtime::Handle::current();
    Arc::new(move |order, answering| {
        let call = cloud.call(order);
        // Whoever waits is told by the task; nobody waits for the task itself.
        drop(runtime.spawn(async move { answering(call.await) }));
    })
}
