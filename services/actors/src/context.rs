//! What a handler may do besides changing its actor: look at the clock, set timers, hand out its address, stop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::address::Core;
use crate::{Actor, Address, Clock};

/// Given to every handler.
pub struct Context<A: Actor> {
    core: Arc<Core<A>>,
    clock: Arc<dyn Clock>,
    timers: BTreeMap<Timer, Alarm<A>>,
    timers_made: u64,
    stopping: bool,
}

/// Names a timer, to cancel it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    due: Instant,
    /// Timers of one moment run in the order in which they were set.
    number: u64,
}

type Alarm<A> = Box<dyn FnOnce(&mut A, &mut Context<A>)>;

// === impl Context ===

impl<A: Actor> Context<A> {
    pub(crate) fn new(core: Arc<Core<A>>, clock: Arc<dyn Clock>) -> Self {
        Self {
            core,
            clock,
            timers: BTreeMap::new(),
            timers_made: 0,
            stopping: false,
        }
    }

    /// The spawner's clock.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// The actor's own address. An actor that keeps it must stop itself: it is never the last to be dropped.
    pub fn address(&self) -> Address<A> {
        Address::of(&self.core)
    }

    /// Runs `alarm` on this actor, `after_ms` from now. Any number of timers may be pending at little cost.
    pub fn run_later(
        &mut self,
        after_ms: u64,
        alarm: impl FnOnce(&mut A, &mut Context<A>) + 'static,
    ) -> Timer {
        let timer = Timer {
            due: Instant::now() + Duration::from_millis(after_ms),
            number: self.timers_made,
        };
        self.timers_made += 1;
        self.timers.insert(timer, Box::new(alarm));
        timer
    }

    /// Drops a timer. False if it had run or was cancelled before.
    pub fn cancel(&mut self, timer: Timer) -> bool {
        self.timers.remove(&timer).is_some()
    }

    /// Ends the actor when the handler returns. Nothing more is handled, not even what was sent before.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.timers.keys().next().map(|timer| timer.due)
    }

    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Alarm<A>> {
        let first = self.timers.first_entry()?;
        (first.key().due <= now).then(|| first.remove())
    }
}
