//! When to stop: SIGTERM or SIGINT; a second one means at once.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

/// Both signals, caught from now on.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

// === impl Signals ===

impl Signals {
    /// Catches them; must be called inside the runtime.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Until the first one.
    pub async fn first(&mut self) {
        let name = self.next().await;
        info!(
            signal = name,
            "stopping: handing over and draining; a second signal stops at once"
        );
    }

    /// Until one more.
    pub async fn second(&mut self) {
        let name = self.next().await;
        warn!(signal = name, "stopping at once");
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
