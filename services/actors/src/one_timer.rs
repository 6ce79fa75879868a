//! One timer for everything that an actor waits for: it looks at all of it, and says anew when to look again.

use crate::{Actor, Context, Timer};

/// The earliest of the times that were asked for.
#[derive(Debug, Default)]
pub struct OneTimer {
    pending: Option<(u64, Timer)>,
}

// === impl OneTimer ===

impl OneTimer {
    /// Runs `alarm` at `at_ms` of the actor's clock, unless something is to run before. The alarm has to begin with
    /// [`OneTimer::rang`].
    pub fn at<A: Actor>(
        &mut self,
        at_ms: u64,
        context: &mut Context<A>,
        alarm: fn(&mut A, &mut Context<A>),
    ) {
        if let Some((pending_ms, timer)) = self.pending {
            if pending_ms <= at_ms {
                return;
            }
            context.cancel(timer);
        }
        let after_ms = at_ms.saturating_sub(context.now_ms());
        self.pending = Some((at_ms, context.run_later(after_ms, alarm)));
    }

    /// The time has come: nothing is pending.
    pub fn rang(&mut self) {
        self.pending = None;
    }
}
