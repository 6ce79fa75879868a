//! An actor with its context: all that an adapter has to drive. Adapters differ in how they wait, in nothing else.

use std::sync::Arc;

use tokio::time::Instant;

use crate::address::{Core, Job};
use crate::{Actor, Clock, Context};

pub(crate) struct Body<A: Actor> {
    actor: A,
    core: Arc<Core<A>>,
    context: Context<A>,
}

// === impl Body ===

impl<A: Actor> Body<A> {
    pub(crate) fn new(actor: A, core: Arc<Core<A>>, clock: Arc<dyn Clock>) -> Self {
        let context = Context::new(Arc::clone(&core), clock);
        Self {
            actor,
            core,
            context,
        }
    }

    pub(crate) fn start(&mut self) {
        self.actor.started(&mut self.context);
    }

    /// Handles one message.
    pub(crate) fn run(&mut self, job: Job<A>) {
        self.core.taken();
        if !self.is_stopped() {
            job(&mut self.actor, &mut self.context);
        }
    }

    /// Runs the timers that are due.
    pub(crate) fn run_due(&mut self, now: Instant) {
        while !self.is_stopped()
            && let Some(alarm) = self.context.take_due(now)
        {
            alarm(&mut self.actor, &mut self.context);
        }
    }

    /// When `run_due` has something to do.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.context.next_due()
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.context.is_stopping()
    }
}
