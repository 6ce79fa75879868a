//! How long things took.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Beyond a minute everything is the same.
const LONGEST_US: u64 = 60_000_000;

/// Latencies and failures of one kind of request.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    histogram: Histogram<u64>,
    failures: BTreeMap<String, u64>,
}

/// Quantiles in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Answered with success.
    pub count: u64,
    /// Half were faster.
    pub p50_us: u64,
    /// 90 of 100 were faster.
    pub p90_us: u64,
    /// 99 of 100 were faster.
    pub p99_us: u64,
    /// 999 of 1,000 were faster.
    pub p999_us: u64,
    /// The slowest.
    pub max_us: u64,
}

// === impl Recorder ===

impl Recorder {
    pub(crate) fn new() -> Self {
        // Three digits from 1 us to a minute: about 180 KB.
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, 3);
        Self {
            histogram: histogram.expect("good bounds"), // constants
            failures: BTreeMap::new(),
        }
    }

    pub(crate) fn succeeded(&mut self, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(LONGEST_US);
        self.histogram.saturating_record(took_us.max(1));
    }

    pub(crate) fn failed(&mut self, reason: &str) {
        *self.failures.entry(reason.to_owned()).or_default() += 1;
    }

    pub(crate) fn latency(&self) -> Latency {
        let at = |quantile| self.histogram.value_at_quantile(quantile);
        Latency {
            count: self.histogram.len(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: self.histogram.max(),
        }
    }

    pub(crate) fn failures(&self) -> BTreeMap<String, u64> {
        self.failures.clone()
    }
}
