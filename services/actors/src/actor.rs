//! What an actor is.

use crate::Context;

/// State owned by one thread, changed by one message at a time.
pub trait Actor: Sized + 'static {
    /// What it shows of itself: small and cheap, for tests, metrics and the console.
    type Observation: Send + 'static;

    /// Called once, before the first message.
    fn started(&mut self, _context: &mut Context<Self>) {}

    /// How it stands now.
    fn observe(&self) -> Self::Observation;
}

/// An actor that can be told `M`.
pub trait Handler<M: Send + 'static>: Actor {
    /// Does what is to be done now and returns; never waits, never blocks.
    fn handle(&mut self, message: M, context: &mut Context<Self>);
}
