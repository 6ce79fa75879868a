//! Where actors are started: the choice of the adapter, made once.

use std::fmt;
use std::sync::Arc;

use crate::{Actor, Address, Clock};

/// Starts actors. Handed to whoever starts some, so that nothing names an adapter.
#[derive(Clone)]
pub struct Spawner {
    adapter: Adapter,
    clock: Arc<dyn Clock>,
}

#[derive(Clone, Copy, Debug)]
enum Adapter {
    Actix,
    Plain,
}

// === impl Spawner ===

impl Spawner {
    /// Actors run by actix. What the server uses.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let adapter = Adapter::Actix;
        Self { adapter, clock }
    }

    /// Actors run by a bare tokio task each. Shows that nothing depends on actix; as fit for use as the other.
    pub fn plain(clock: Arc<dyn Clock>) -> Self {
        let adapter = Adapter::Plain;
        Self { adapter, clock }
    }

    /// The clock that contexts show.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Starts an actor whose mailbox holds at most `capacity` messages (at least 1).
    ///
    /// # Panics
    /// Outside a tokio `LocalSet`: actors stay on one thread.
    pub fn spawn<A: Actor>(&self, actor: A, capacity: usize) -> Address<A> {
        let clock = Arc::clone(&self.clock);
        match self.adapter {
            Adapter::Actix => crate::actix::spawn(actor, capacity, clock),
            Adapter::Plain => crate::plain::spawn(actor, capacity, clock),
        }
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Spawner({:?})", self.adapter)
    }
}
