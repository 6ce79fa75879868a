//! Ctrl-C: noticed everywhere, acted upon in one order, so that nothing is left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{Error, Result};

/// How often a wait looks whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Whether somebody asked us to stop. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    requested: Arc<AtomicBool>,
}

// === impl Interrupt ===

impl Interrupt {
    /// From now on Ctrl-C, a closed terminal and `kill` only raise the flag.
    pub fn listen() -> Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&interrupt.requested))
                .map_err(|error| Error::system("cannot listen for signals", &error))?;
        }
        Ok(interrupt)
    }

    /// Whether to stop.
    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    /// An error if we are to stop.
    pub fn check(&self) -> Result<()> {
        if self.is_requested() {
            Err(Error::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Asks `condition` until it answers; an error naming `what` after `limit`, or at once when we are to stop.
    pub fn wait_for<T>(
        &self,
        what: &str,
        limit: Duration,
        mut condition: impl FnMut() -> Option<T>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            self.check()?;
            if let Some(found) = condition() {
                return Ok(found);
            }
            if begun.elapsed() > limit {
                return Err(Error::new(format!(
                    "waited {} s in vain for {what}",
                    limit.as_secs()
                )));
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}
