//! Whether there is room on the disk, as last seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shared by whoever looks and whoever asks.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// Free bytes plus one while there are too few; 0 = there is room.
    low: Arc<AtomicU64>,
}

// === impl Disk ===

impl Disk {
    /// What was seen.
    pub fn note(&self, free_bytes: u64, is_low: bool) {
        let low = if is_low {
            free_bytes.saturating_add(1)
        } else {
            0
        };
        self.low.store(low, Ordering::Release);
    }

    /// The bytes that are left, if they are too few to take new work.
    pub fn low(&self) -> Option<u64> {
        self.low.load(Ordering::Acquire).checked_sub(1)
    }
}
