//! What time it is, for actors and for those who test them.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

/// A clock that never goes back. Says nothing of the time of day.
pub trait Clock: Send + Sync + 'static {
    /// ms since some fixed moment before the clock was made.
    fn now_ms(&self) -> u64;
}

/// tokio's clock since it was made: real time, or virtual time where the runtime's is paused.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock {
    origin: Instant,
}

/// A clock moved by hand, for tests of pure state. It wakes nobody: timers follow tokio's clock.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_ms: AtomicU64,
}

// === impl MonotonicClock ===

impl MonotonicClock {
    /// Starts at 0.
    pub fn start() -> Self {
        let origin = Instant::now();
        Self { origin }
    }
}

impl Clock for MonotonicClock {
    fn now_ms(&self) -> u64 {
        let elapsed_ms = self.origin.elapsed().as_millis();
        u64::try_from(elapsed_ms).unwrap_or(u64::MAX)
    }
}

// === impl ManualClock ===

impl ManualClock {
    /// Moves it forward.
    pub fn advance(&self, by_ms: u64) {
        self.now_ms.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}
