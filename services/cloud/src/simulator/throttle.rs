//! How many calls an account may make: a token bucket for each action that holds one minute's calls and fills evenly.

use crate::simulator::setup::{CALLS_PER_MINUTE, Limits};
use std::collections::BTreeMap;

/// A minute, ms.
const MINUTE_MS: u64 = 60_000;

/// The buckets. What is in one is counted in sixty-thousandths of a call, so that filling loses nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Throttle {
    buckets: BTreeMap<String, Bucket>,
}

#[derive(Clone, Debug)]
struct Bucket {
    level: u64,
    at_ms: u64,
}

// === impl Throttle ===

impl Throttle {
    /// Takes one call out, if there is one.
    pub(super) fn take(&mut self, now_ms: u64, action: &str, limits: &Limits) -> bool {
        let calls = limits
            .calls_per_minute
            .get(action)
            .copied()
            .unwrap_or(CALLS_PER_MINUTE);
        let full = u64::from(calls) * MINUTE_MS;
        let start = Bucket {
            level: full,
            at_ms: now_ms,
        };
        let bucket = self.buckets.entry(action.to_owned()).or_insert(start);
        let passed = now_ms.saturating_sub(bucket.at_ms).min(MINUTE_MS);
        bucket.level = (bucket.level + passed * u64::from(calls)).min(full);
        bucket.at_ms = bucket.at_ms.max(now_ms);
        let enough = bucket.level >= MINUTE_MS;
        if enough {
            bucket.level -= MINUTE_MS;
        }
        enough
    }
}
